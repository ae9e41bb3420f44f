import assert from 'node:assert/strict';

/** One line of what Prometheus reads. */
export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

/** What a process shows at its port for metrics, as text and line by line. */
export class Scrape {
  readonly samples: Sample[];

  private constructor(readonly text: string) {
    this.samples = text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map(sampleOf);
  }

  static async of(port: number): Promise<Scrape> {
    const response = await fetch(`http://127.0.0.1:${port}/metrics`);
    assert.equal(response.status, 200);
    return new Scrape(await response.text());
  }

  /** The sum over all samples with these labels; undefined where there is none. */
  sum(name: string, labels: Record<string, string> = {}): number | undefined {
    const found = this.samples.filter(
      (sample) => sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
    );
    return found.length === 0 ? undefined : found.reduce((total, { value }) => total + value, 0);
  }
}

function sampleOf(line: string): Sample {
  const [, name = '', , list = '', value = ''] = /^(\w+)(\{(.*)\})? (\S+)/.exec(line) ?? [];
  assert.notEqual(name, '', line);
  const labels = [...list.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key = '', text = '']) => [key, text]);
  return { name, labels: Object.fromEntries(labels), value: Number(value) };
}
