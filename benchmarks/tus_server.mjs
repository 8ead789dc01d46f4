// @tus/server over a folder, as its documentation starts it: node tus_server.mjs FOLDER PORT [--synced]
import {open} from 'node:fs/promises'
import {join} from 'node:path'

import {FileStore} from '@tus/file-store'
import {Server} from '@tus/server'

/** The same store with our promise: an offset that was acknowledged is on the medium. */
class SyncedFileStore extends FileStore {
  async write(readable, id, offset) {
    const reached = await super.write(readable, id, offset)
    const file = await open(join(this.directory, id), 'r+')
    try {
      await file.datasync()
    } finally {
      await file.close()
    }
    return reached
  }
}

const [directory, port, option] = process.argv.slice(2)
const Store = option === '--synced' ? SyncedFileStore : FileStore
new Server({path: '/uploads', datastore: new Store({directory})}).listen({host: '127.0.0.1', port: Number(port)})
