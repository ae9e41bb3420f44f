import { fetched, readFetchItems } from '../fetch.js';
import type { Message } from '../mailbox.js';
import { writeNumberSet } from '../number-set.js';
import { search } from '../search.js';
import { BadCommand, listOf, textOf, type Argument } from '../syntax.js';
import type { View } from '../view.js';
import { no, ok, type Command, type Commands, type Outcome, type Session } from './command.js';
import { noSuchFolder } from './folders.js';

type OnView = (session: Session, view: View, given: readonly Argument[]) => Outcome;

const readOnly = no('[READ-ONLY] The folder was opened to look at only');

const onView =
  (run: OnView): Command =>
  (session, given) => {
    if (session.view === undefined) throw new BadCommand('No folder is selected');
    return run(session, session.view, given);
  };

const toChange = (run: OnView): Command =>
  onView((session, view, given) => (view.isReadOnly ? readOnly : run(session, view, given)));

const fetch = (isByUid: boolean): Command =>
  onView((session, view, [set, wanted]) => {
    const items = readFetchItems(wanted, isByUid);
    const marksSeen = !view.isReadOnly && items.some((item) => item.marksSeen);
    for (const { number, message } of view.pick(textOf(set), isByUid)) {
      const isNewlySeen = marksSeen && !message.flags.has('\\Seen');
      if (isNewlySeen) message.flags.add('\\Seen');
      session.untagged(`${number} FETCH `, fetched(items, message));
      if (isNewlySeen) view.folder.touch();
    }
    return ok('FETCH completed');
  });

const store = (isByUid: boolean): Command =>
  toChange((session, view, [set, action, ...given]) => {
    const match = /^([+-]?)FLAGS(\.SILENT)?$/i.exec(textOf(action));
    if (match === null) throw new BadCommand(`${textOf(action)} cannot be stored`);
    const [, sign, silent] = match;
    const flags = (given[0]?.kind === 'list' ? listOf(given[0]) : given).map(textOf);
    for (const { number, message } of view.pick(textOf(set), isByUid)) {
      if (sign === '') message.flags.clear();
      for (const flag of flags) {
        if (sign === '-') message.flags.delete(flag);
        else message.flags.add(flag);
      }
      view.flagsAreTold(message);
      const uid = isByUid ? `UID ${message.uid} ` : '';
      if (silent === undefined) session.untagged(`${number} FETCH (${uid}FLAGS (${[...message.flags].join(' ')}))`);
    }
    view.folder.touch();
    return ok('STORE completed');
  });

/** To another folder, and out of this one where it is a move. */
const transfer = (
  session: Session,
  view: View,
  given: readonly Argument[],
  isByUid: boolean,
  isMove: boolean,
): Outcome => {
  const [set, name] = given;
  const target = session.mailbox.folder(textOf(name));
  const picked = view.pick(textOf(set), isByUid).map(({ message }) => message);
  if (target === undefined) return noSuchFolder;
  // One that somebody else has taken away is not there to be had, though this session has not heard of it.
  const present = picked.filter((message) => view.folder.messages.includes(message));
  const uids = present.map((message) => message.uid);
  const copies = present.map(({ bytes, flags, receivedAt }) => target.add({ bytes, flags, receivedAt }));
  const copyUid = `[COPYUID ${target.uidValidity} ${writeNumberSet(uids)} ${writeNumberSet(copies.map(({ uid }) => uid))}]`;
  if (isMove) {
    if (present.length > 0) session.untagged(`OK ${copyUid} Moved`);
    view.folder.remove(present);
    return ok('MOVE completed');
  }
  return ok(present.length > 0 ? `${copyUid} COPY completed` : 'COPY completed, of nothing');
};

const copy = (isByUid: boolean): Command =>
  onView((session, view, given) => transfer(session, view, given, isByUid, false));

const move = (isByUid: boolean): Command =>
  toChange((session, view, given) => transfer(session, view, given, isByUid, true));

const searchFor = (isByUid: boolean): Command =>
  onView((session, view, keys) => {
    const found = search(view, keys).map(({ number, message }) => (isByUid ? message.uid : number));
    session.untagged(['SEARCH', ...found].join(' '));
    return ok('SEARCH completed');
  });

const isDeleted = (message: Message): boolean => message.flags.has('\\Deleted');

const close: OnView = (session, view) => {
  if (!view.isReadOnly) view.folder.remove(view.folder.messages.filter(isDeleted));
  session.view = undefined;
  return ok('CLOSE completed');
};

/** Commands that need a folder. */
export const ofMessages: Commands = {
  CHECK: onView(() => ok('CHECK completed')),
  FETCH: fetch(false),
  'UID FETCH': fetch(true),
  STORE: store(false),
  'UID STORE': store(true),
  COPY: copy(false),
  'UID COPY': copy(true),
  MOVE: move(false),
  'UID MOVE': move(true),
  SEARCH: searchFor(false),
  'UID SEARCH': searchFor(true),
  EXPUNGE: toChange((_session, view) => {
    view.folder.remove(view.folder.messages.filter(isDeleted));
    return ok('EXPUNGE completed');
  }),
  'UID EXPUNGE': toChange((_session, view, [set]) => {
    const picked = view.pick(textOf(set), true).map(({ message }) => message);
    view.folder.remove(picked.filter(isDeleted));
    return ok('EXPUNGE completed');
  }),
  CLOSE: onView(close),
  UNSELECT: onView((session) => {
    session.view = undefined;
    return ok('UNSELECT completed');
  }),
};
