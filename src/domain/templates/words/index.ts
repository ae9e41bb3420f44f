import type { Language } from '../../text.js';
import { en } from './en.js';
import { ja } from './ja.js';
import type { CustomerWords } from './words.js';

export const customerWords: Readonly<Record<Language, CustomerWords>> = { ja, en };
