import assert from 'node:assert/strict';
import {
  afterReading,
  afterTold,
  afterTrouble,
  isMailboxCheckpointDue,
  mailboxNews,
  mailGapMs,
  mailboxPauseMs,
  openMailbox,
  type MailboxState,
} from '../../src/domain/mailbox/state.js';
import { MINUTE_MS, SECOND_MS, toInstant, type Instant } from '../../src/domain/time.js';

const START_MS = Date.parse('2026-11-24T00:00:00Z');
const at = (minutes: number): Instant => toInstant(START_MS + minutes * MINUTE_MS);

/** What happens at a minute: the mailbox was read, or could not be; or it could not be, and no mail to the SOC goes out either. */
type Step = [minute: number, what: 'read' | 'fails' | 'fails, and SMTP too' | 'read, and SMTP fails'];

/** What the SOC was told, as the activity tells it: looked at after every try. */
function told(steps: readonly Step[]): { told: string[]; state: MailboxState } {
  const heard: string[] = [];
  let state = openMailbox(at(0));
  for (const [minute, what] of steps) {
    state = what.startsWith('read')
      ? afterReading(state, true, at(minute))
      : afterTrouble(state, 'does not answer', at(minute));
    const news = mailboxNews(state, at(minute));
    if (news === undefined || what.includes('SMTP')) continue;
    heard.push(`${minute}: ${news.isOver ? 'well again' : 'trouble'} since ${news.since.slice(11, 16)}`);
    state = afterTold(state, news);
  }
  return { told: heard, state };
}

const TABLE: { name: string; steps: Step[]; told: string[] }[] = [
  {
    name: 'a mailbox that is read is nothing to tell',
    steps: [
      [0, 'read'],
      [30, 'read'],
    ],
    told: [],
  },
  {
    name: 'less than ten minutes of trouble is nothing to tell, nor is its end',
    steps: [
      [0, 'read'],
      [1, 'fails'],
      [10.9, 'fails'],
      [10.95, 'read'],
    ],
    told: [],
  },
  {
    name: 'ten minutes are told once, however long it lasts, and once that it is over',
    steps: [
      [1, 'fails'],
      [6, 'fails'],
      [11, 'fails'],
      [12, 'fails'],
      [300, 'fails'],
      [301, 'read'],
      [302, 'read'],
    ],
    told: ['11: trouble since 00:01', '301: well again since 00:01'],
  },
  {
    name: 'two short troubles with a reading between them do not add up',
    steps: [
      [1, 'fails'],
      [9, 'fails'],
      [9.5, 'read'],
      [10, 'fails'],
      [18, 'fails'],
      [18.5, 'read'],
    ],
    told: [],
  },
  {
    name: 'a second trouble is told anew',
    steps: [
      [0, 'fails'],
      [10, 'fails'],
      [11, 'read'],
      [20, 'fails'],
      [30, 'fails'],
      [31, 'read'],
    ],
    told: [
      '10: trouble since 00:00',
      '11: well again since 00:00',
      '30: trouble since 00:20',
      '31: well again since 00:20',
    ],
  },
  {
    name: 'what the SOC could not be told is told as soon as mail goes out',
    steps: [
      [0, 'fails'],
      [10, 'fails, and SMTP too'],
      [15, 'fails'],
      [16, 'read, and SMTP fails'],
      [20, 'read'],
      [21, 'read'],
    ],
    told: ['15: trouble since 00:00', '20: well again since 00:00'],
  },
  {
    name: 'nobody who was not told of a trouble is told of its end',
    steps: [
      [0, 'fails'],
      [10, 'fails, and SMTP too'],
      [11, 'read'],
    ],
    told: [],
  },
  {
    name: 'what is broken again is not told to be well',
    steps: [
      [0, 'fails'],
      [10, 'fails'],
      [11, 'read, and SMTP fails'],
      [12, 'fails'],
      [13, 'fails'],
      [22, 'fails'],
      [23, 'read'],
      [24, 'read'],
    ],
    told: ['10: trouble since 00:00', '23: well again since 00:00'],
  },
];

describe('how the reading of the mailbox stands', () => {
  for (const row of TABLE) {
    it(row.name, () => {
      assert.deepEqual(told(row.steps).told, row.told);
    });
  }

  it('shows since when, how often and why it cannot be read, until it is', () => {
    const { state } = told([
      [1, 'fails'],
      [2, 'fails'],
      [3, 'fails'],
    ]);
    const { since, at: last, failures, message } = state.trouble ?? assert.fail();
    assert.deepEqual([since, last, failures, message], [at(1), at(3), 3, 'does not answer']);
    assert.equal(afterReading(state, false, at(4)).trouble, null);
  });

  it('knows when the inbox was last empty', () => {
    const empty = afterReading(openMailbox(at(0)), true, at(1));
    const busy = afterReading(empty, false, at(2));
    assert.deepEqual([busy.readAt, busy.emptyAt], [at(2), at(1)]);
  });

  it('is tried again after ever longer pauses, a minute at most', () => {
    let state = openMailbox(at(0));
    const pauses = Array.from({ length: 9 }, () => {
      state = afterTrouble(state, 'does not answer', at(1));
      return mailboxPauseMs(state) / SECOND_MS;
    });
    assert.deepEqual(pauses, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
  });

  it('has a crowd of mails wait, most of all one that it has just met', () => {
    const perSecond = [0, 5, 10, 20, 3_600].map((seconds) => Math.round(SECOND_MS / mailGapMs(seconds * SECOND_MS)));
    assert.deepEqual(perSecond, [5, 10, 15, 25, 25]);
  });

  it('is written down once an hour', () => {
    assert.deepEqual([isMailboxCheckpointDue(at(0), at(59.9)), isMailboxCheckpointDue(at(0), at(60))], [false, true]);
  });
});
