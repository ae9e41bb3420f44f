import { metricMeter, workflowInfo } from '@temporalio/workflow';
import { measures, type Measure } from '../domain/measures.js';

/**
 * Counts what a change has brought about. It leaves nothing in the history: what is replayed was counted when it happened,
 * maybe by another worker. A step that a worker has taken and could not report is taken, and counted, once more.
 */
export function measure(what: () => readonly Measure[]): void {
  if (workflowInfo().unsafe.isReplaying) return;
  for (const { name, value, labels } of what()) {
    const { kind, help } = measures[name];
    switch (kind) {
      case 'counter':
        metricMeter.createCounter(name, undefined, help).add(value, labels);
        break;
      case 'histogram':
        metricMeter.createHistogram(name, 'float', 's', help).record(value, labels);
        break;
    }
  }
}
