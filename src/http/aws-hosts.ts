/** Host names of AWS: the domains of its partitions, and the region that a host names. Pure. */

/** Of the partitions of AWS: the world, China, the European Sovereign Cloud; each has one for IPv6 as well. */
const DOMAINS = [
	".amazonaws.com",
	".api.aws",
	".on.aws",
	".amazonaws.com.cn",
	".api.amazonwebservices.com.cn",
	".amazonaws.eu",
	".api.amazonwebservices.eu",
];

/** `eusc-de-east-1` is of the European Sovereign Cloud. */
const REGION = /^[a-z]{2,4}(?:-[a-z]+)+-\d{1,2}$/;

export function isAwsRegion(label: string): boolean {
	return REGION.test(label);
}

/** The labels before the domain of AWS; null: the host is not one of AWS. */
export function awsLabels(host: string): string[] | null {
	const domain = DOMAINS.find((domain) => host.endsWith(domain));
	return domain === undefined ? null : host.slice(0, -domain.length).split(".");
}

/** The region of a host that is exactly `{service}.{region}.{domain of AWS}`, or that with `-fips`; null: it is another. */
export function regionOfService(host: string, service: string): string | null {
	const [label, region, ...more] = awsLabels(host) ?? [];
	if (region === undefined || more.length > 0 || !isAwsRegion(region)) return null;
	return label === service || label === `${service}-fips` ? region : null;
}
