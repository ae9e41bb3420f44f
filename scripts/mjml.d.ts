/** What is used of MJML, which has no types of its own for it. */
declare module 'mjml-core' {
  interface Result {
    html: string;
    errors: readonly { formattedMessage: string }[];
  }
  type Compile = (mjml: string, options: { presets: readonly object[] }) => Promise<Result>;
  /** Which of them it is depends on who loads it: Node as a module, or the tests by `require`. */
  const core: Compile | { default: Compile };
  export default core;
}

declare module 'mjml-preset-core' {
  const preset: object;
  export default preset;
}
