import type { RenderedMail } from '../../src/domain/templates/kinds.js';
import { reminderMail } from '../../src/domain/templates/reminder.js';
import { linkedSections } from '../../src/domain/templates/customer.js';
import type { Language } from '../../src/domain/text.js';
import { Story } from './story.js';
import { texts } from './texts.js';

/** Every mail that an incident sends to its customer, by the name of its file. */
export function incidentMails(language: Language): Record<string, RenderedMail> {
  const { question, allClear, proposal, more, moreCountermeasures } = texts[language];
  const story = () => new Story(language).at(40);
  const spreading = () => story().triage(4, 3).at(46).isolated(0, 1).acknowledged();
  const infected = () => story().triage(3, 1).told().at(48).isolated(0);
  const unclear = { judgement: 'undetermined', askCustomer: question, exclusionProposal: proposal };
  const harmless = {
    judgement: 'false-positive',
    detection: undefined,
    analysis: allClear,
    countermeasures: undefined,
  };
  const escalated = infected()
    .at(130)
    .fact({
      type: 'escalation',
      body: { message: more, countermeasures: moreCountermeasures, askCustomer: question },
      actor: 'tanaka',
    });
  const partly = story()
    .triage(4, 3)
    .told()
    .at(60)
    .isolated(0, 1)
    .reported(2, { state: 'failed', reason: 'isolation-timeout' });
  const lead = infected().at(90);
  const sections = linkedSections(spreading().record, lead.policy, { kind: 'primary', verdict: 0 }, lead.now);
  lead.tells(sections);
  return {
    'primary-level-4': spreading().mail({ kind: 'primary', verdict: 0 }),
    'primary-level-3': story().triage(3, 1).mail({ kind: 'primary', verdict: 0 }),
    'primary-level-2': story().triage(2, 0, unclear).mail({ kind: 'primary', verdict: 0 }),
    'secondary-raised': story()
      .triage(2, 0, unclear)
      .told()
      .at(75)
      .triage(4, 3)
      .at(80)
      .isolated(0)
      .mail({ kind: 'secondary', verdict: 1 }),
    'secondary-all-clear': infected().at(120).triage(1, 0, harmless).mail({ kind: 'secondary', verdict: 1 }),
    'secondary-more': escalated.mail({ kind: 'secondary', escalation: 0 }),
    'secondary-linked': lead.mail({ kind: 'secondary', linked: 0 }),
    'isolation-result': infected().mail({ kind: 'isolation-result', wave: 0 }),
    'isolation-result-partly': partly.mail({ kind: 'isolation-result', wave: 0 }),
    'release-result': infected()
      .at(300)
      .released(0)
      .at(312)
      .reported(0, { state: 'released' })
      .mail({ kind: 'release-result', order: 0 }),
    'release-result-failed': infected()
      .at(300)
      .released(0)
      .at(330)
      .reported(0, { state: 'release-failed', reason: 'release-timeout' })
      .mail({ kind: 'release-result', order: 0 }),
    reminder: reminderMail(escalated.at(24 * 60).record, escalated.policy, escalated.now),
  };
}
