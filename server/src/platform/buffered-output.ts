import { write, writeSync } from 'node:fs'

/** Half of what a pipe takes. Each write costs a turn of the thread pool, 20 to 40 µs: with 4 KiB that was a tenth of what a request costs. */
const FLUSH_BYTES = 32_768
const FLUSH_MS = 200
/** What may wait for a stuck reader; beyond it lines are lost, not memory. */
const WAITING_BYTES_MAX = 1024 * 1024

/**
 * Writes lines to a file descriptor, some at a time. What cannot be written is lost: a full disk or a reader that is gone must neither end the
 * process nor hold it. (The logger's own destination tries for ever when it is asked to flush onto a full disk.)
 */
export class BufferedOutput {
  readonly #fd: number
  #waiting = ''
  #isWriting = false
  #timer: NodeJS.Timeout | undefined

  constructor(fd: number) {
    this.#fd = fd
  }

  write(line: string): void {
    if (this.#waiting.length > WAITING_BYTES_MAX) return
    this.#waiting += line
    if (this.#waiting.length >= FLUSH_BYTES) this.#send()
    else this.#timer ??= setTimeout(() => this.#send(), FLUSH_MS).unref()
  }

  /** Writes all that waits before it returns, as far as it can be written: for the end of the process. */
  flush(): void {
    clearTimeout(this.#timer)
    for (let rest = Buffer.from(this.#waiting), tries = 0; rest.length > 0 && tries < 100; tries++) {
      try {
        rest = rest.subarray(writeSync(this.#fd, rest))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') break
      }
    }
    this.#waiting = ''
  }

  #send(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#isWriting || this.#waiting === '') return
    const chunk = Buffer.from(this.#waiting)
    this.#waiting = ''
    this.#isWriting = true
    this.#writeAll(chunk)
  }

  #writeAll(chunk: Buffer): void {
    write(this.#fd, chunk, (error, written) => {
      if (!error && written < chunk.length) return this.#writeAll(chunk.subarray(written))
      this.#isWriting = false
      if (this.#waiting.length >= FLUSH_BYTES) this.#send()
      else if (this.#waiting !== '') this.#timer ??= setTimeout(() => this.#send(), FLUSH_MS).unref()
    })
  }
}
