import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

/** A network between us and a database that can begin to swallow everything, without closing anything. */
export class Network {
  isSilent = false
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #database: URL

  /** @param database URL with the folder of its socket as `host`. */
  constructor(database: string) {
    this.#database = new URL(database)
    const socketPath = `${this.#database.searchParams.get('host')}/.s.PGSQL.${this.#database.port}`
    this.#server = createServer((near) => {
      const far = connect(socketPath)
      const pass = (from: Socket, to: Socket) => {
        this.#sockets.add(from)
        from.on('data', (bytes) => this.isSilent || to.write(bytes)).on('error', () => {})
        from.on('close', () => to.destroy())
      }
      pass(near, far)
      pass(far, near)
    })
  }

  /** @returns the database's URL through this network. */
  async open(): Promise<string> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening')
    const url = new URL(this.#database)
    url.port = String((this.#server.address() as { port: number }).port)
    url.hostname = '127.0.0.1'
    url.searchParams.delete('host')
    return url.href
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
  }
}
