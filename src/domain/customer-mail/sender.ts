import type { Contact, Customer } from '../customer.js';

function isSame(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

export function contactOf(customer: Customer, address: string): Contact | undefined {
  return customer.contacts.find(({ mail }) => mail !== undefined && isSame(mail, address));
}

/** One of the addresses that the customer has named: those that escalations go to, and the contacts'. */
export function isRegistered(customer: Customer, address: string): boolean {
  const { to, cc } = customer.mail;
  return [...to, ...cc].some((own) => isSame(own, address)) || contactOf(customer, address) !== undefined;
}

/** A registered address, or any of a domain that is the customer's alone. */
export function isOfCustomer(customer: Customer, address: string): boolean {
  const domain = address.slice(address.lastIndexOf('@') + 1);
  return isRegistered(customer, address) || (customer.mail.domains ?? []).some((own) => isSame(own, domain));
}
