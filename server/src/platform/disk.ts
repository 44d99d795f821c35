import { statfsSync } from 'node:fs'

/** Less than PostgreSQL needs to start and to write a checkpoint. */
const ROOM_BYTES_MIN = 32 * 1024 * 1024

/** Whether an error says that there is no room left. */
export const isFullDisk = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT')

/** Whether the disk that holds a folder is as good as full: what fails then comes back by itself once there is room. */
export function lacksRoom(folder: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(folder)
    return bavail * bsize < ROOM_BYTES_MIN
  } catch {
    return false
  }
}

const LOOK_MS = 250

/** `lacksRoom`, cheap enough to be asked for every request. */
export function roomWatch(folder: string): () => boolean {
  let isFull = false
  let lookAgainAt = 0
  return () => {
    const now = performance.now()
    if (now < lookAgainAt) return isFull
    lookAgainAt = now + LOOK_MS
    isFull = lacksRoom(folder)
    return isFull
  }
}
