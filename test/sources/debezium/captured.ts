/** Requests as Debezium Server 3.6.0.Final sent them on 2026-11-25, without the headers of HTTP/2 and the signature. */

interface Captured {
	headers: Record<string, string>;
	body: string;
}

/** An event of an outbox table by `EventRouter`, type:header:eventType. */
export const OUTBOX: Captured = {
	headers: {
		"user-agent": "Java-http-client/21.0.8",
		"content-type": "application/json",
		"webhook-id": "msg_499e3249-4f7e-4c21-affa-9fa5df5c6db8",
		"x-debezium-__debezium.context.connectorlogicalname":
			"eyJzY2hlbWEiOnsidHlwZSI6InN0cmluZyIsIm9wdGlvbmFsIjpmYWxzZX0sInBheWxvYWQiOiJzbHVpY2VfY2RjX291dGJveCJ9",
		"x-debezium-__debezium.context.connectorname":
			"eyJzY2hlbWEiOnsidHlwZSI6InN0cmluZyIsIm9wdGlvbmFsIjpmYWxzZX0sInBheWxvYWQiOiJwb3N0Z3Jlc3FsIn0=",
		"x-debezium-__debezium.context.runid":
			"eyJzY2hlbWEiOnsidHlwZSI6InN0cmluZyIsIm9wdGlvbmFsIjpmYWxzZX0sInBheWxvYWQiOiIwMWEyMTM0OS00YzM3LTcxNDUtYjRiMy01YWJlMzI0YTRjMTcifQ==",
		"x-debezium-__debezium.context.taskid":
			"eyJzY2hlbWEiOnsidHlwZSI6InN0cmluZyIsIm9wdGlvbmFsIjpmYWxzZX0sInBheWxvYWQiOiIwIn0=",
		"x-debezium-eventtype":
			"eyJzY2hlbWEiOnsidHlwZSI6InN0cmluZyIsIm9wdGlvbmFsIjp0cnVlfSwicGF5bG9hZCI6Ik9yZGVyUGxhY2VkIn0=",
		"x-debezium-id":
			"eyJzY2hlbWEiOnsidHlwZSI6InN0cmluZyIsIm9wdGlvbmFsIjpmYWxzZSwibmFtZSI6ImlvLmRlYmV6aXVtLmRhdGEuVXVpZCIsInZlcnNpb24iOjEsImRlZmF1bHQiOiIwMDAwMDAwMC0wMDAwLTAwMDAtMDAwMC0wMDAwMDAwMDAwMDAifSwicGF5bG9hZCI6IjZhM2JmYTM3LTExNTAtNDVhMC1iMTIzLWFjM2Q2MjMwYzJlMSJ9",
	},
	body: `{"total":12.5}`,
};

/** A row by `ExtractNewRecordState` with add.fields and add.headers=db. */
export const FLAT_INSERT: Captured = {
	headers: {
		"user-agent": "Java-http-client/21.0.8",
		"content-type": "application/json",
		"webhook-id": "msg_b38907c4-22b2-469e-8447-8fba4cfee50c",
		"x-debezium-__db":
			"eyJzY2hlbWEiOnsidHlwZSI6InN0cmluZyIsIm9wdGlvbmFsIjp0cnVlfSwicGF5bG9hZCI6InBvc3RncmVzIn0=",
		"x-debezium-__debezium.context.connectorlogicalname":
			"eyJzY2hlbWEiOnsidHlwZSI6InN0cmluZyIsIm9wdGlvbmFsIjpmYWxzZX0sInBheWxvYWQiOiJzbHVpY2VfY2RjX2ZsYXQifQ==",
		"x-debezium-__debezium.context.connectorname":
			"eyJzY2hlbWEiOnsidHlwZSI6InN0cmluZyIsIm9wdGlvbmFsIjpmYWxzZX0sInBheWxvYWQiOiJwb3N0Z3Jlc3FsIn0=",
		"x-debezium-__debezium.context.runid":
			"eyJzY2hlbWEiOnsidHlwZSI6InN0cmluZyIsIm9wdGlvbmFsIjpmYWxzZX0sInBheWxvYWQiOiIwMWEyMTM0OS01Mzc0LTc2YzktYjE3YS01ZDI4NmQ2MjE0NGYifQ==",
		"x-debezium-__debezium.context.taskid":
			"eyJzY2hlbWEiOnsidHlwZSI6InN0cmluZyIsIm9wdGlvbmFsIjpmYWxzZX0sInBheWxvYWQiOiIwIn0=",
	},
	body: `{"id":9,"v":"z","n":{"scale":1,"value":"Dw=="},"__deleted":"false","__op":"c","__table":"flat","__source_ts_ms":1795619833866,"__lsn":35135272}`,
};

/** The same row deleted, delete.handling.mode=rewrite. */
export const FLAT_DELETE: Captured = {
	headers: {
		"user-agent": "Java-http-client/21.0.8",
		"content-type": "application/json",
		"webhook-id": "msg_01ececfb-3398-469e-83ee-e30c940f61ca",
		"x-debezium-__db":
			"eyJzY2hlbWEiOnsidHlwZSI6InN0cmluZyIsIm9wdGlvbmFsIjp0cnVlfSwicGF5bG9hZCI6InBvc3RncmVzIn0=",
		"x-debezium-__debezium.context.connectorlogicalname":
			"eyJzY2hlbWEiOnsidHlwZSI6InN0cmluZyIsIm9wdGlvbmFsIjpmYWxzZX0sInBheWxvYWQiOiJzbHVpY2VfY2RjX2ZsYXQifQ==",
		"x-debezium-__debezium.context.connectorname":
			"eyJzY2hlbWEiOnsidHlwZSI6InN0cmluZyIsIm9wdGlvbmFsIjpmYWxzZX0sInBheWxvYWQiOiJwb3N0Z3Jlc3FsIn0=",
		"x-debezium-__debezium.context.runid":
			"eyJzY2hlbWEiOnsidHlwZSI6InN0cmluZyIsIm9wdGlvbmFsIjpmYWxzZX0sInBheWxvYWQiOiIwMWEyMTM0OS01Mzc0LTc2YzktYjE3YS01ZDI4NmQ2MjE0NGYifQ==",
		"x-debezium-__debezium.context.taskid":
			"eyJzY2hlbWEiOnsidHlwZSI6InN0cmluZyIsIm9wdGlvbmFsIjpmYWxzZX0sInBheWxvYWQiOiIwIn0=",
	},
	body: `{"id":9,"v":null,"n":null,"__deleted":"true","__op":"d","__table":"flat","__source_ts_ms":1795619833878,"__lsn":35135456}`,
};
