import tseslint from 'typescript-eslint';
import importX, { createNodeResolver } from 'eslint-plugin-import-x';

/** Which room may import which. Each entry forbids the patterns to the files it names. */
const rooms = [
  {
    files: ['src/domain/**'],
    forbid: [
      '**/workflows/**',
      '**/activities/**',
      '**/integrations/**',
      '**/temporal/**',
      '**/api/**',
      '**/config.js',
      '@temporalio/*',
    ],
    why: 'domain/ imports zod and nothing else',
  },
  {
    files: ['src/workflows/**'],
    forbid: [
      '**/activities/**',
      '**/integrations/**',
      '**/temporal/**',
      '**/api/**',
      '**/config.js',
      '@temporalio/client',
      '@temporalio/worker',
      '@temporalio/activity',
    ],
    why: 'workflows/ imports domain/ and @temporalio/workflow only',
  },
  {
    files: ['src/integrations/**'],
    forbid: ['**/workflows/**', '**/activities/**', '**/temporal/**', '**/api/**', '**/config.js', '@temporalio/*'],
    why: 'integrations/ know a protocol and nothing of the process',
  },
  {
    files: ['src/activities/**'],
    forbid: [
      '**/workflows/incident.js',
      '**/workflows/device.js',
      '**/workflows/phone.js',
      '**/workflows/index.js',
      '**/api/**',
      '**/config.js',
    ],
    why: 'activities/ translate between domain and integrations',
  },
  {
    files: ['src/temporal/**'],
    forbid: [
      '**/workflows/incident.js',
      '**/workflows/device.js',
      '**/workflows/phone.js',
      '**/api/**',
      '**/activities/**',
      '**/integrations/**',
    ],
    why: 'temporal/ is what client and worker agree on',
  },
  {
    files: ['src/api/**'],
    forbid: [
      '**/workflows/incident.js',
      '**/workflows/device.js',
      '**/workflows/phone.js',
      '**/workflows/index.js',
      '**/activities/**',
      '@temporalio/workflow',
      '@temporalio/worker',
      '@temporalio/activity',
    ],
    why: 'api/ sends messages; it imports workflows/messages only',
  },
  { files: ['simulator/**'], forbid: ['**/src/**', '@temporalio/*'], why: 'the simulator is a program of its own' },
];

const nodeBuiltins = ['node:*', 'fs', 'path', 'crypto', 'http', 'https', 'os', 'net', 'child_process', 'timers'];

export default tseslint.config(
  { ignores: ['dist/', 'release/', '.data/', '.cache/', 'node_modules/'] },
  ...tseslint.configs.strictTypeChecked.map((config) => ({ ...config, files: ['**/*.ts'] })),
  {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { 'import-x': importX },
    settings: {
      'import-x/resolver-next': [
        createNodeResolver({ extensions: ['.ts', '.js'], extensionAlias: { '.js': ['.ts', '.js'] } }),
      ],
    },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/consistent-type-assertions': [
        'error',
        { assertionStyle: 'as', objectLiteralTypeAssertions: 'never' },
      ],
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      'import-x/no-cycle': 'error',
      'no-restricted-syntax': ['error', { selector: 'TSEnumDeclaration', message: 'Use a union of string literals.' }],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { varsIgnorePattern: '^_$', argsIgnorePattern: '^_', ignoreRestSiblings: true },
      ],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
    },
  },
  ...rooms.map(({ files, forbid, why }) => ({
    files,
    rules: { 'no-restricted-imports': ['error', { patterns: [{ group: forbid, message: `${why}.` }] }] },
  })),
  ...rooms.slice(0, 2).map(({ files, forbid, why }) => ({
    files,
    rules: {
      'no-restricted-imports': ['error', { patterns: [{ group: [...forbid, ...nodeBuiltins], message: `${why}.` }] }],
      'no-restricted-globals': ['error', 'process', 'Buffer', 'fetch', 'setInterval', 'setImmediate', 'performance'],
    },
  })),
  {
    files: ['src/domain/**'],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: 'The rules have no clock: take `now` as a parameter.' },
        { object: 'Math', property: 'random', message: 'The rules are pure.' },
      ],
    },
  },
  // Tests read JSON answers of any shape and assert on what they find; the API's own shapes are parsed in src/.
  {
    files: ['test/**'],
    rules: {
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-unsafe-type-assertion': 'off',
      '@typescript-eslint/restrict-plus-operands': 'off',
      '@typescript-eslint/restrict-template-expressions': 'off',
    },
  },
);
