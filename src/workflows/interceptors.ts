import type { WorkflowInterceptors } from '@temporalio/workflow';
import { isOfNewerVersion } from '../domain/ways.js';

/*
 * What goes for every workflow of this service. Nothing here waits: a promise more would change the order of a run's
 * commands, and with it what stored histories replay.
 */

/** Thrown in a workflow it fails the task, not the workflow: another worker is given the task, until one knows the ways. */
class OfNewerVersion extends Error {
  override name = 'OfNewerVersion';
}

export function interceptors(): WorkflowInterceptors {
  return {
    inbound: [
      {
        execute: (input, next) => {
          if (isOfNewerVersion(input.args)) {
            throw new OfNewerVersion('a newer version began this run: a worker of that version goes on with it');
          }
          return next(input);
        },
      },
    ],
  };
}
