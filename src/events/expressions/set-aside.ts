/** The stored form of set-aside expressions. Types only. */

/** A set-aside expression. It is not evaluated until its owner is changed. */
export interface Quarantine {
	/** The field's path in the API, such as `transform` or `filters.1.jsonata`. */
	field: string;
	reason: string;
	/** ms since the epoch. */
	at: number;
}

/** An expression to be set aside. */
export interface Overrun extends Quarantine {
	/** `src_…` or `sub_…` */
	ownerId: string;
	/** The expression as stored. */
	stored: string;
}
