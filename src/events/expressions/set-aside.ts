/** An expression that is set aside, as it is kept. Shapes only. */

/** An expression that is set aside: it is not evaluated until somebody has seen to it. */
export interface Quarantine {
	/** Its path in the API, such as `transform` or `filters.1.jsonata`. */
	field: string;
	reason: string;
	/** ms since the epoch. */
	at: number;
}

/** An expression that has to be set aside. */
export interface Overrun extends Quarantine {
	/** `src_…` or `sub_…` */
	ownerId: string;
	/** The expression as it is stored. */
	stored: string;
}
