export { incident } from './incident.js';
export { device } from './device.js';
export { phone } from './phone.js';
