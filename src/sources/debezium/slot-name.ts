/** The name of a source's replication slot, publication and topics. */

/** PostgreSQL, "Querying and manipulating replication slots": lower-case letters, digits, underscores; 63 bytes. */
export function slotName(sourceName: string): string {
	return `sluice_${sourceName.toLowerCase().replaceAll(/[^a-z0-9]/g, "_")}`.slice(0, 63);
}
