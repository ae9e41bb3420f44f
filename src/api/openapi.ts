import { z } from 'zod';
import { createDocument, type ZodOpenApiOperationObject, type ZodOpenApiPathsObject } from 'zod-openapi';
import { rolesOf } from './operators.js';
import type { Route } from './route.js';

const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.string().meta({ description: 'Stable: programs may rely on it.' }),
    detail: z.string(),
    instance: z.string(),
    requestId: z.string(),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  })
  .meta({ id: 'Problem' });

function parametersOf(route: Route) {
  const path = Object.fromEntries([...route.path.matchAll(/:(\w+)/g)].map(([, name]) => [name ?? '', z.string()]));
  const header = {
    ...(route.isCommand
      ? {
          'Idempotency-Key': z
            .string()
            .max(200)
            .optional()
            .meta({ description: 'The same key again gives the same answer and does nothing twice.' }),
        }
      : {}),
    ...(route.takesIfMatch
      ? {
          'If-Match': z
            .string()
            .optional()
            .meta({ description: 'The ETag that was seen; needed for a changed verdict.' }),
        }
      : {}),
  };
  return {
    ...(Object.keys(path).length > 0 ? { path: z.object(path) } : {}),
    ...(Object.keys(header).length > 0 ? { header: z.object(header) } : {}),
    ...(route.query instanceof z.ZodObject ? { query: route.query } : {}),
  };
}

function operation(route: Route): ZodOpenApiOperationObject {
  return {
    summary: route.summary,
    description: `For ${rolesOf(route.access).join(', ')}.`,
    'x-roles': rolesOf(route.access),
    tags: [route.path.split('/')[2] ?? 'other'],
    security: [{ bearer: [] }],
    requestParams: parametersOf(route),
    ...(route.body === undefined
      ? {}
      : { requestBody: { required: true, content: { 'application/json': { schema: route.body } } } }),
    responses: {
      ...Object.fromEntries(
        Object.entries(route.answers).map(([status, { description, schema }]) => [
          status,
          { description, content: { 'application/json': { schema } } },
        ]),
      ),
      default: { description: 'RFC 9457 problem', content: { 'application/problem+json': { schema: problemSchema } } },
    },
  };
}

/** The OpenAPI document, made from the very routes and schemas that serve the requests. */
export function openApiDocument(routes: readonly Route[], publicUrl: string, version: string) {
  const paths: Record<string, Record<string, ZodOpenApiOperationObject>> = {};
  for (const route of routes) {
    const path = route.path.replace(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method]: operation(route) };
  }
  const typed: ZodOpenApiPathsObject = paths;
  return createDocument({
    openapi: '3.1.0',
    info: {
      title: 'Mimamori',
      version,
      description:
        'The incident process of a managed detection and response service for Microsoft Defender for Endpoint.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: publicUrl }],
    paths: typed,
    components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
  });
}
