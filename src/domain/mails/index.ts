export { mailKinds, type MailKind, type RenderedMail } from './kinds.js';
export { acknowledgement, announcement } from './phone.js';
export { renderMail } from './render.js';
export { messageIdOf, threadOf, type Thread } from './thread.js';
