/** Services that stop the containers of an engine when they are stopped themselves; Podman's containers live without one. */
const services: ReadonlySet<string> = new Set(['docker.service', 'snap.docker.dockerd.service']);

export function isEngineUnit(unit: string): boolean {
  return services.has(unit);
}
