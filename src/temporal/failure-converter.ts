import {
  DefaultFailureConverter,
  type Payload,
  type PayloadConverter,
  type ProtoFailure,
  type SerializationContext,
} from '@temporalio/common';
import { markFailurePart } from './failure-parts.js';

function partsOf({ encodedAttributes, applicationFailureInfo, canceledFailureInfo }: ProtoFailure): Payload[] {
  return [
    ...(encodedAttributes == null ? [] : [encodedAttributes]),
    ...(applicationFailureInfo?.details?.payloads ?? []),
    ...(canceledFailureInfo?.details?.payloads ?? []),
  ];
}

/** The words of a failure and its stack may hold what an alert says: they are put where the codec encrypts them. */
class EncodedFailureConverter extends DefaultFailureConverter {
  constructor() {
    super({ encodeCommonAttributes: true });
  }

  override errorToFailure(error: unknown, converter: PayloadConverter, context?: SerializationContext): ProtoFailure {
    const failure = super.errorToFailure(error, converter, context);
    for (let each: ProtoFailure | null | undefined = failure; each != null; each = each.cause) {
      for (const part of partsOf(each)) markFailurePart(part);
    }
    return failure;
  }
}

export const failureConverter = new EncodedFailureConverter();
