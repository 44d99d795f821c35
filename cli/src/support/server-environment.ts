/** Our environment as the server takes it: PARTITA_DEBUG is the command line's, and the server refuses settings that it does not know. */
export function serverEnvironment(): NodeJS.ProcessEnv {
  const { PARTITA_DEBUG: _, ...rest } = process.env
  return rest
}
