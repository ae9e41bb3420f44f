import { isGrpcServiceError } from '@temporalio/client';

/** Codes of gRPC that Temporal's server, or the way to it, answers with. */
export const GRPC = {
  cancelled: 1,
  unknown: 2,
  deadlineExceeded: 4,
  resourceExhausted: 8,
  failedPrecondition: 9,
  internal: 13,
  unavailable: 14,
} as const;

/** The code of a failed call to Temporal, also where its client has wrapped it. */
export function grpcCode(error: unknown): number | undefined {
  if (isGrpcServiceError(error)) return error.code;
  if (error instanceof Error && error.cause !== undefined) return grpcCode(error.cause);
  return undefined;
}

/** Temporal did not answer: that says nothing of what it was asked. */
export function isOutage(error: unknown): boolean {
  const code = grpcCode(error);
  return code === GRPC.deadlineExceeded || code === GRPC.cancelled || code === GRPC.unavailable;
}

/** Temporal refuses for now: more is asked of it than it does at a time. Nothing was carried out. */
export function isThrottled(error: unknown): boolean {
  return grpcCode(error) === GRPC.resourceExhausted;
}

/** Temporal's own trouble, as far as anybody can tell: what it was asked may be as good as any. */
export function isTrouble(error: unknown): boolean {
  const code = grpcCode(error);
  return isOutage(error) || isThrottled(error) || code === GRPC.unknown || code === GRPC.internal;
}
