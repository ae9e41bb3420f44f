export { heldMailNotice, inquiryWaitingMail, lostReplyMail, mailboxTroubleMail } from './inbound-soc.js';
export { inquiryAnswerMail, inquiryReferralMail, type InquiryReply } from './inquiry.js';
export { mailKinds, type MailKind, type RenderedMail } from './kinds.js';
export { acknowledgement, announcement } from './phone.js';
export { reminderMail, waitsForCustomer, type Waiting } from './reminder.js';
export { renderMail } from './render.js';
export { messageIdOf, threadOf, type Thread } from './thread.js';
