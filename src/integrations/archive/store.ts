/** Where the archive is kept. Names are `[a-z0-9._/-]`, with `/` between a folder and what is in it. */
export interface ArchiveStore {
  /**
   * Puts what is not there, whole or not at all; what is there is left as it is. Of two at the same time one puts it.
   *
   * @throws ArchiveError
   */
  putNew(name: string, bytes: Uint8Array): Promise<'put' | 'exists'>;
  /** Undefined where there is nothing of that name. @throws ArchiveError */
  get(name: string): Promise<Uint8Array | undefined>;
  /**
   * The names of what is in a folder and in its folders, without the folder, sorted; `after`: those behind that name alone. All
   * of them, however many there are.
   *
   * @throws ArchiveError
   */
  list(folder: string, after?: string): Promise<string[]>;
  /** The names of the folders at the top, sorted. @throws ArchiveError */
  folders(): Promise<string[]>;
}
