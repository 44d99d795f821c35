#!/usr/bin/env node
// The way in, on a fresh clone too: installs what is missing and goes on under the Node that the project carries.
// Runs under any Node from 20, so it is plain JavaScript and imports nothing that has to be installed.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import * as nodeModule from 'node:module'
import { createServer } from 'node:net'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const CLONE = dirname(dirname(realpathSync(fileURLToPath(import.meta.url))))
const MODULES = join(CLONE, 'node_modules')
const LOCK_FILE = join(CLONE, 'package-lock.json')
// Holds the hash of the lock file that node_modules was installed from.
const STAMP = join(MODULES, '.partita-lock')
const MAIN = join(CLONE, 'cli/src/main.ts')
const OLDEST_NODE = 20
const NODE_OF_SOURCES = 24

if (Number(process.versions.node.split('.')[0]) < OLDEST_NODE) {
  fail(
    `Partita needs Node ${OLDEST_NODE} or newer to start (it brings its own Node ${NODE_OF_SOURCES} for the rest); this is ${process.version}.`,
  )
}

const installedNow = await install()
const node = findNode()
// Reading TypeScript costs 60 ms and more at every start; with this cache only at the first. Children inherit it.
process.env.NODE_COMPILE_CACHE ??= join(MODULES, '.cache/node')
if (!installedNow && realpathSync(process.execPath) === node) {
  nodeModule.enableCompileCache(process.env.NODE_COMPILE_CACHE)
  await import(MAIN)
} else {
  runUnder(node)
}

/** @returns whether anything had to be installed. */
async function install() {
  const wanted = createHash('sha256').update(readFileSync(LOCK_FILE)).digest('hex')
  if (isInstalled(wanted)) return false
  const lock = await waitForLock(`partita install ${CLONE}`)
  try {
    if (isInstalled(wanted)) return false // another process has just done it
    if (!matchesLockFile()) await npmCi(lock)
    try {
      writeFileSync(STAMP, wanted)
    } catch {
      // node_modules is read-only: the comparison is made again next time
    }
    return true
  } finally {
    lock?.close()
  }
}

function isInstalled(wanted) {
  try {
    return readFileSync(STAMP, 'utf8') === wanted
  } catch {
    return false
  }
}

/** Whether npm itself finished an installation of exactly these versions: it writes its own copy of the lock file last. */
function matchesLockFile() {
  let have
  try {
    have = JSON.parse(readFileSync(join(MODULES, '.package-lock.json'), 'utf8')).packages
  } catch {
    return false
  }
  const want = JSON.parse(readFileSync(LOCK_FILE, 'utf8')).packages
  return Object.entries(want).every(([path, entry]) => {
    if (!path.startsWith('node_modules/')) return true
    // A package of our own that an earlier checkout did not have: its sources are here, the way to them is not.
    if (entry.link) return existsSync(join(CLONE, path))
    // Optional packages are there for one kind of machine each.
    return have[path] ? have[path].version === entry.version : entry.optional === true
  })
}

function npmCi(lock) {
  const total = Object.values(JSON.parse(readFileSync(LOCK_FILE, 'utf8')).packages).filter((entry) => !entry.optional).length
  process.stderr.write(`Installing ${total} packages from the lock file (once, about 15 seconds; no install scripts run)\n`)
  // Standard output belongs to the command: everything npm says goes to standard error.
  const options = [
    'ci',
    '--ignore-scripts',
    '--include=dev',
    '--include=optional',
    '--no-audit',
    '--no-fund',
    '--no-progress',
    '--loglevel=error',
  ]
  const npm =
    process.env.npm_execpath && /npm-cli\.c?js$/.test(process.env.npm_execpath)
      ? [process.execPath, process.env.npm_execpath]
      : ['npm']
  // npm holds the lock too: when we are killed it goes on for a while, and a second npm must not run into it.
  const child = spawn(npm[0], [...npm.slice(1), ...options], {
    cwd: CLONE,
    stdio: ['ignore', 2, 2, lock?._handle?.fd ?? 'ignore'],
  })
  const started = Date.now()
  const timer = setInterval(() => {
    process.stderr.write(`  … ${Math.round((Date.now() - started) / 1000)} s\n`)
  }, 5000)
  const stop = forwardSignals(child)
  return new Promise((resolve) => {
    child.on('error', (error) =>
      fail(`npm could not be run (${error.message}). Partita needs npm once, to install its packages.`),
    )
    child.on('exit', (code, signal) => {
      clearInterval(timer)
      stop()
      if (signal) process.exit(128 + constants.signals[signal])
      if (code !== 0)
        fail('The packages could not be installed; npm says why above. Run the same command again to try once more.')
      resolve()
    })
  })
}

/** The Node that comes with the project; where there is none for this machine, the present one if it is new enough. */
function findNode() {
  const carried = join(MODULES, `node-${process.platform}-${process.arch}/bin/node`)
  if (existsSync(carried)) return realpathSync(carried)
  if (Number(process.versions.node.split('.')[0]) >= NODE_OF_SOURCES) return realpathSync(process.execPath)
  return fail(
    `Partita brings Node ${NODE_OF_SOURCES} and PostgreSQL 18 for Linux on x64 and arm64; this is ${process.platform} on ${process.arch}.\n` +
      `Install Node ${NODE_OF_SOURCES} or newer, and set DATABASE_URL to a PostgreSQL 18 of yours.`,
  )
}

/** As near to exec as Node comes: same input and output, signals passed on, same end. */
function runUnder(node) {
  // The channel says nothing; it closes when this process is killed, and `start` then stops what it started.
  const child = spawn(node, [MAIN, ...process.argv.slice(2)], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  })
  forwardSignals(child)
  child.on('error', (error) => fail(`${node} does not run here: ${error.message}`))
  child.on('exit', (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : code))
}

function forwardSignals(child) {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
  const forward = (signal) => child.kill(signal)
  for (const signal of signals) process.on(signal, forward)
  return () => {
    for (const signal of signals) process.off(signal, forward)
  }
}

/** A socket in Linux's abstract namespace: the kernel takes it back when its holder dies, so no stale lock can remain. */
async function waitForLock(name) {
  if (process.platform !== 'linux') return undefined
  const path = `\0partita/${createHash('sha256').update(name).digest('hex')}`
  for (let waited = 0; ; waited++) {
    const server = createServer((socket) => socket.destroy())
    const taken = await new Promise((resolve) => {
      server.once('error', () => resolve(false))
      server.listen({ path }, () => resolve(true))
    })
    if (taken) return server
    if (waited === 0) process.stderr.write('Another process installs the packages; waiting for it\n')
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

function fail(message) {
  process.stderr.write(`partita: ${message}\n`)
  process.exit(1)
}
