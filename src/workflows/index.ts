export { alertFeed } from './alert-feed.js';
export { incident } from './incident.js';
export { auditor } from './auditor.js';
export { customer } from './customer.js';
export { device } from './device.js';
export { phone } from './phone.js';
export { rejectedAlert } from './rejected-alert.js';
