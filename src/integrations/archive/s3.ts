import { createHash } from 'node:crypto';
import { AwsClient } from 'aws4fetch';
import { ArchiveError } from '../../domain/archive/entry.js';
import { oneLine } from '../../domain/text.js';
import { SECOND_MS } from '../../domain/time.js';
import type { ArchiveStore } from './store.js';

export interface S3Settings {
  /** The bucket, and where in it: `https://s3.example/bucket` or `https://s3.example/bucket/folder`. */
  url: string;
  region: string;
  accessKeyId: string;
  secretAccessKey: string;
}

/** Both tries of a reading end before a caller of the API has waited for too long. */
const TIMEOUTS_MS = { GET: 2 * SECOND_MS, PUT: 10 * SECOND_MS } as const;
const TRIES = 2;
/** So long nobody waits again for a server that has just failed: alerts must not come in late because of it. */
const AWAY_MS = 15 * SECOND_MS;
const PAUSE_MS = 200;
/** Put twice, to see whether the server heeds that nothing is to be written over. */
const PROBE = '.exclusive';

const PRECONDITION_FAILED = 412;

function textsOf(xml: string, tag: string): string[] {
  // Names are ours, and need no entities.
  return [...xml.matchAll(new RegExp(`<${tag}>([^<]*)</${tag}>`, 'g'))].map(([, text]) => text ?? '');
}

/**
 * An archive in a bucket of S3, or of a server that speaks its protocol and heeds `If-None-Match: *` (S3's "conditional writes").
 *
 * AWS: "Amazon S3 API Reference", PutObject, GetObject, ListObjectsV2. Requests name the bucket in the path.
 */
export function createS3Store({ url, region, accessKeyId, secretAccessKey }: S3Settings): ArchiveStore {
  const base = new URL(url);
  const [, bucket = '', ...folders] = base.pathname.replace(/\/+$/, '').split('/');
  const prefix = folders.length === 0 ? '' : `${folders.join('/')}/`;
  const bucketUrl = `${base.origin}/${bucket}`;
  // Its own retries would go on for minutes, and know no conflict.
  const aws = new AwsClient({ accessKeyId, secretAccessKey, region, service: 's3', retries: 0 });

  let away: { untilMs: number; failure: unknown } | undefined;

  async function once(
    method: 'GET' | 'PUT',
    path: string,
    init: { headers?: Record<string, string>; body?: Uint8Array },
  ): Promise<{ status: number; bytes: Uint8Array }> {
    try {
      const body = init.body === undefined ? {} : { body: new Uint8Array(init.body) };
      const response = await aws.fetch(`${bucketUrl}${path}`, {
        method,
        headers: init.headers ?? {},
        ...body,
        signal: AbortSignal.timeout(TIMEOUTS_MS[method]),
      });
      return { status: response.status, bytes: new Uint8Array(await response.arrayBuffer()) };
    } catch (error) {
      throw new ArchiveError(`${base.host} does not answer: ${reasonOf(error)}`, { cause: error });
    }
  }

  function refused(status: number, bytes: Uint8Array): ArchiveError {
    const xml = Buffer.from(bytes).toString('utf8');
    const said = [textsOf(xml, 'Code')[0], textsOf(xml, 'Message')[0]].filter((part) => part !== undefined).join(': ');
    return new ArchiveError(oneLine(`${base.host} refuses with ${status} ${said}`, 300));
  }

  /** Answers that say yes or no; everything else is tried again, and thrown in the end. */
  async function ask(
    method: 'GET' | 'PUT',
    path: string,
    init: { headers?: Record<string, string>; body?: Uint8Array },
    answers: readonly number[],
  ): Promise<{ status: number; bytes: Uint8Array }> {
    if (away !== undefined && Date.now() < away.untilMs) throw away.failure;
    for (let tries = 1; ; tries += 1) {
      try {
        const answer = await once(method, path, init);
        if (answers.includes(answer.status)) return answer;
        throw refused(answer.status, answer.bytes);
      } catch (error) {
        if (tries === TRIES) {
          away = { untilMs: Date.now() + AWAY_MS, failure: error };
          throw error;
        }
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * 2 ** tries));
      }
    }
  }

  async function putIfNew(name: string, body: Uint8Array): Promise<'put' | 'exists'> {
    const headers = {
      'If-None-Match': '*',
      'Content-Type': 'application/octet-stream',
      // Where Object Lock has a retention by default, S3 takes nothing without a checksum.
      'x-amz-checksum-sha256': createHash('sha256').update(body).digest('base64'),
    };
    const answers = [200, 204, PRECONDITION_FAILED];
    const { status } = await ask('PUT', `/${prefix}${name}`, { headers, body }, answers);
    return status === PRECONDITION_FAILED ? 'exists' : 'put';
  }

  /** A server that does not know the condition would write over what is there, and nobody would notice. */
  async function checkExclusive(): Promise<void> {
    await putIfNew(PROBE, new Uint8Array());
    if ((await putIfNew(PROBE, new Uint8Array())) === 'exists') return;
    throw new ArchiveError(`${base.host} does not heed If-None-Match: an archive there could be written over`);
  }
  let exclusive: Promise<void> | undefined;

  async function listed(query: Record<string, string>, tag: string): Promise<string[]> {
    const names: string[] = [];
    let more: Record<string, string> = {};
    for (;;) {
      const search = new URLSearchParams({ 'list-type': '2', ...query, ...more });
      const { bytes } = await ask('GET', `?${search.toString()}`, {}, [200]);
      const xml = Buffer.from(bytes).toString('utf8');
      names.push(...textsOf(xml, tag));
      const [token] = textsOf(xml, 'NextContinuationToken');
      if (textsOf(xml, 'IsTruncated')[0] !== 'true' || token === undefined) return names;
      more = { 'continuation-token': token };
    }
  }

  return {
    async putNew(name, bytes) {
      exclusive ??= checkExclusive();
      await exclusive.catch((error: unknown) => {
        exclusive = undefined;
        throw error;
      });
      return putIfNew(name, bytes);
    },

    async get(name) {
      const { status, bytes } = await ask('GET', `/${prefix}${name}`, {}, [200, 404]);
      return status === 404 ? undefined : bytes;
    },

    async list(folder, after) {
      const under = `${prefix}${folder}/`;
      const query = { prefix: under, ...(after === undefined ? {} : { 'start-after': `${under}${after}` }) };
      return (await listed(query, 'Key')).map((key) => key.slice(under.length)).sort();
    },

    async folders() {
      const found = await listed({ prefix, delimiter: '/' }, 'Prefix');
      const names = found
        .filter((key) => key !== prefix && key.endsWith('/'))
        .map((key) => key.slice(prefix.length, -1));
      return [...new Set(names)].sort();
    },
  };
}

/** What a failed fetch says is in its cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
