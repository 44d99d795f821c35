// Loaded before the program of a child process (`node --import`): ends it when its parent is gone, however the parent ended.
const LONGEST_GOODBYE_MS = 10_000

if (process.channel) {
  process.once('disconnect', () => {
    process.kill(process.pid, 'SIGTERM')
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), LONGEST_GOODBYE_MS).unref()
  })
  // A listener would keep the process alive; the program itself decides how long it runs.
  process.channel.unref()
}
