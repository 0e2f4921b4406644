export function manyRules(count: number): string;
