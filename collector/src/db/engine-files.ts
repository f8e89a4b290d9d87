import { NodeFS } from '@electric-sql/pglite/nodefs';

type Init = Parameters<NodeFS['init']>;

/**
 * The engine's files, as the library has them, but for two things.
 *
 * Where it cannot make a file (no descriptor left, a full disk) it keeps the name all the same. From then on that file exists for
 * whoever would make it, does not for whoever opens it, and the engine fails there until it is started again. Here the name is
 * forgotten.
 *
 * Where its log does not fit on the disk the engine never answers again. Here space is made, and it is tried again.
 */
export class EngineFiles extends NodeFS {
  readonly #makeSpace: () => void;

  /** `makeSpace` is called in the middle of a write, and does not return when it cannot. */
  constructor(dataDir: string, makeSpace: () => void) {
    super(dataDir);
    this.#makeSpace = makeSpace;
  }

  override async init(...[engine, options]: Init): ReturnType<NodeFS['init']> {
    const { emscriptenOpts } = await super.init(engine, options);
    const mend = ({ FS }: { FS: unknown }) => {
      const files = FS as FileSystem;
      forgetUnmade(files);
      insistOnLog(files, this.#makeSpace);
    };
    return { emscriptenOpts: { ...emscriptenOpts, preRun: [...(emscriptenOpts.preRun ?? []), mend] } };
  }
}

/** The part of Emscripten's file system that is used here (its documentation, "File System API", and `library_nodefs.js`). */
interface FileSystem {
  readonly filesystems: {
    readonly NODEFS: { readonly node_ops: { mknod: Make }; readonly stream_ops: { write: Write } };
  };
  lookupNode(parent: object, name: string): object;
  destroyNode(node: object): void;
}

type Make = (...given: [parent: object, name: string, mode: number, device: number]) => object;
type Write = (
  ...given: [stream: { readonly path: string }, buffer: object, offset: number, length: number, position: number]
) => number;

/** ENOSPC as WebAssembly programs number it (WASI, `errno`). */
const noSpace = 51;

function forgetUnmade(files: FileSystem): void {
  const operations = files.filesystems.NODEFS.node_ops;
  const make = operations.mknod;
  operations.mknod = (parent, name, ...how) => {
    try {
      return make(parent, name, ...how);
    } catch (error) {
      files.destroyNode(files.lookupNode(parent, name));
      throw error;
    }
  };
}

function insistOnLog(files: FileSystem, makeSpace: () => void): void {
  const operations = files.filesystems.NODEFS.stream_ops;
  const write = operations.write;
  operations.write = (stream, ...what) => {
    for (;;) {
      try {
        return write(stream, ...what);
      } catch (error) {
        const isFull = (error as { errno?: number }).errno === noSpace;
        if (!isFull || !stream.path.includes('/pg_wal/')) throw error;
        makeSpace();
      }
    }
  };
}
