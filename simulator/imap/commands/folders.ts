import { readInternalDate } from '../dates.js';
import { inbox, type Folder, type Mailbox } from '../mailbox.js';
import { BadCommand, listOf, parenthesized, stringOf, textOf, type Argument } from '../syntax.js';
import { View } from '../view.js';
import { no, ok, type Command, type Commands, type Outcome, type Session } from './command.js';

const separator = '/';

export const noSuchFolder = no('[TRYCREATE] There is no such folder');

const systemFlags = '\\Answered \\Flagged \\Deleted \\Seen \\Draft';

const unseenIn = (folder: Folder): number => folder.messages.filter(({ flags }) => !flags.has('\\Seen')).length;

const statusItems: Record<string, (folder: Folder) => number> = {
  MESSAGES: (folder) => folder.messages.length,
  RECENT: () => 0,
  UIDNEXT: (folder) => folder.uidNext,
  UIDVALIDITY: (folder) => folder.uidValidity,
  UNSEEN: unseenIn,
};

const patternOf = (reference: string, pattern: string): RegExp => {
  const wanted = reference + pattern;
  const source = wanted
    .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('%', `[^${separator}]*`);
  return new RegExp(`^${source}$`, wanted.toUpperCase() === inbox ? 'i' : '');
};

const list =
  (response: 'LIST' | 'LSUB'): Command =>
  (session, [reference, pattern]) => {
    const wanted = textOf(pattern);
    const tell = (attributes: string, name: string) =>
      session.untagged(`${response} (${attributes}) "${separator}" `, stringOf(name));
    if (wanted === '') tell('\\Noselect', '');
    else {
      const isWanted = patternOf(textOf(reference), wanted);
      const folders = session.mailbox.folders();
      for (const { name } of folders.filter((folder) => isWanted.test(folder.name))) {
        const hasChildren = folders.some((folder) => folder.name.startsWith(name + separator));
        tell(hasChildren ? '\\HasChildren' : '\\HasNoChildren', name);
      }
    }
    return ok(`${response} completed`);
  };

const select =
  (isReadOnly: boolean): Command =>
  (session, [name]) => {
    session.view = undefined;
    const folder = session.mailbox.folder(textOf(name));
    if (folder === undefined) return no('There is no such folder');
    session.view = new View(folder, isReadOnly);
    const firstUnseen = folder.messages.findIndex(({ flags }) => !flags.has('\\Seen'));
    session.untagged(`FLAGS (${systemFlags})`);
    session.untagged(`${folder.messages.length} EXISTS`);
    session.untagged('0 RECENT');
    if (firstUnseen >= 0) session.untagged(`OK [UNSEEN ${firstUnseen + 1}] The first that nobody has read`);
    session.untagged(`OK [PERMANENTFLAGS (${isReadOnly ? '' : `${systemFlags} \\*`})] These are kept`);
    session.untagged(`OK [UIDVALIDITY ${folder.uidValidity}] So long uids hold`);
    session.untagged(`OK [UIDNEXT ${folder.uidNext}] The next uid`);
    return ok(isReadOnly ? '[READ-ONLY] EXAMINE completed' : '[READ-WRITE] SELECT completed');
  };

/** Flags and a date may stand before the mail. */
const readAppended = (given: readonly Argument[]): Parameters<Folder['add']>[0] => {
  const rest = [...given];
  const flags = rest[0]?.kind === 'list' ? listOf(rest.shift()).map(textOf) : [];
  const date = rest.length > 1 ? readInternalDate(textOf(rest.shift())) : new Date();
  const [mail, ...more] = rest;
  if (date === null || mail?.kind !== 'string' || more.length > 0) throw new BadCommand('That is no mail to append');
  return { bytes: mail.bytes, flags, receivedAt: date };
};

const append = (mailbox: Mailbox, given: readonly Argument[]): Outcome => {
  const [name, ...mail] = given;
  const appended = readAppended(mail);
  const folder = mailbox.folder(textOf(name));
  if (folder === undefined) return noSuchFolder;
  const { uid } = folder.add(appended);
  return ok(`[APPENDUID ${folder.uidValidity} ${uid}] APPEND completed`);
};

const create = ({ mailbox }: Session, name: string): Outcome => {
  const wanted = name.endsWith(separator) ? name.slice(0, -1) : name;
  if (wanted === '') return no('A folder needs a name');
  if (mailbox.folder(wanted) !== undefined) return no('[ALREADYEXISTS] There is such a folder');
  mailbox.create(wanted);
  return ok('CREATE completed');
};

const remove = ({ mailbox }: Session, name: string): Outcome => {
  const folder = mailbox.folder(name);
  if (folder === undefined) return no('[NONEXISTENT] There is no such folder');
  if (folder.name === inbox) return no('[CANNOT] The INBOX stays');
  mailbox.delete(folder);
  return ok('DELETE completed');
};

/** Commands that need to be signed in. */
export const ofFolders: Commands = {
  NAMESPACE: (session) => {
    session.untagged(`NAMESPACE (("" "${separator}")) NIL NIL`);
    return ok('NAMESPACE completed');
  },
  LIST: list('LIST'),
  LSUB: list('LSUB'),
  STATUS: (session, [name, items]) => {
    const folder = session.mailbox.folder(textOf(name));
    if (folder === undefined) return no('[NONEXISTENT] There is no such folder');
    const answers = listOf(items).map((item) => {
      const value = statusItems[textOf(item).toUpperCase()];
      if (value === undefined) throw new BadCommand(`There is no status ${textOf(item)}`);
      return `${textOf(item).toUpperCase()} ${value(folder)}`;
    });
    session.untagged('STATUS ', stringOf(folder.name), ' ', parenthesized(answers));
    return ok('STATUS completed');
  },
  CREATE: (session, [name]) => create(session, textOf(name)),
  DELETE: (session, [name]) => remove(session, textOf(name)),
  // All folders count as subscribed.
  SUBSCRIBE: () => ok('SUBSCRIBE completed'),
  UNSUBSCRIBE: () => ok('UNSUBSCRIBE completed'),
  SELECT: select(false),
  EXAMINE: select(true),
  APPEND: (session, given) => append(session.mailbox, given),
};
