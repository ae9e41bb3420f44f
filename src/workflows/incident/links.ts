import { leadAsks, type LeadAsk } from '../../domain/incident/link-follower.js';
import { leadReports } from '../../domain/incident/link-lead.js';
import type { FollowRequest } from '../../domain/incident/link-record.js';
import { isToCustomer, linkedSections } from '../../domain/templates/customer.js';
import { recorded } from '../outside.js';
import { now } from '../support.js';
import type { Book } from './book.js';

/** What the incident asks of its lead, and tells those that are linked to it. */
export class Links {
  constructor(private readonly book: Book) {}

  start(): void {
    for (const ask of leadAsks(this.book.record)) this.ask(ask);
    for (const { incidentId, report, digest } of leadReports(this.book.record)) {
      this.book.apply({ type: 'follower-told', incidentId, digest });
      const telling = recorded.tellLinked.executeWithOptions({ summary: `tell ${incidentId}, which is linked to it` }, [
        { incidentId, report },
      ]);
      this.book.alongside(telling);
    }
  }

  private ask({ leadId, want, owes, devices, ordersSeen, tell, shown }: LeadAsk): void {
    const { incidentId, alert, policy } = this.book.record;
    let told: FollowRequest['tell'] = null;
    let verdict: number | null = null;
    if (tell !== null && policy !== null && isToCustomer(tell.topic)) {
      const { dutyId, topic } = tell;
      told = { dutyId, sections: linkedSections(this.book.record, policy, topic, now()) };
      if ('verdict' in topic) verdict = topic.verdict;
    }
    const begun = told === null ? null : { dutyId: told.dutyId, verdict };
    this.book.apply({ type: 'lead-asked', leadId, want, shown, tell: begun });
    const { seq } = this.book.record;
    const request = { incidentId, seq, want, title: alert.title, owes, devices, ordersSeen, tell: told };
    const summary = told === null ? `${want} ${leadId}` : `have ${leadId} send ${told.dutyId}`;
    this.book.alongside(this.send(summary, leadId, request));
  }

  private async send(summary: string, leadId: string, request: FollowRequest): Promise<void> {
    const asked = await recorded.askLead.executeWithOptions({ summary }, [{ leadId, request }]);
    if (asked !== 'asked') this.book.apply({ type: 'lead-gone', leadId, seq: request.seq, why: asked });
  }
}
