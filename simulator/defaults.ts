/** Where the simulator listens and what it accepts unless told otherwise. None of these opens anything real. */

export const defaultHttpPort = 9100;
export const defaultSmtpPort = 9125;
export const defaultImapPort = 9143;

export const defaultMailboxAddress = 'soc@mimamori.example';

/** How the simulated mail server names itself where it says whether a sender was proved. */
export const simulatorAuthservId = 'mx.mimamori.example';

export const defaultCredentials = {
  twilioAccountSid: 'AC00000000000000000000000000000001',
  twilioAuthToken: 'simulated-twilio-auth-token',
  defenderClientId: '00000000-0000-4000-8000-000000000001',
  defenderClientSecret: 'simulated-defender-client-secret',
  mailboxAddress: defaultMailboxAddress,
};
