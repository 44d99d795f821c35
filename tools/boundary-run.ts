import { cruise, type ICruiseOptions, type ICruiseResult } from 'dependency-cruiser'
import { forbidden, options } from '../.dependency-cruiser.mjs'

/** Looks at the imports of all files in `folders` of `baseDir` with the rules of .dependency-cruiser.mjs. */
export async function findBoundaryViolations(baseDir: string, folders: string[]): Promise<ICruiseResult> {
  const { output } = await cruise(folders, {
    ...(options as object),
    baseDir,
    ruleSet: { forbidden },
    validate: true,
  } as ICruiseOptions)
  if (typeof output === 'string') throw new Error('dependency-cruiser answered in words instead of modules')
  return output
}
