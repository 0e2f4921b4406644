// URLs as people write them, split as `lane route` splits them.

export interface UrlParts {
  scheme?: string;
  authority?: string;
  path?: string;
}

/** The authority and the path (with query) of a URL; either may be left out. */
export function splitUrl(url: string): UrlParts {
  const scheme = /^([A-Za-z0-9]*):\/\//.exec(url);
  const rest = scheme ? url.slice(scheme[0].length) : url;
  const end = rest.search(/[/?#]/);
  const host = end < 0 ? rest : rest.slice(0, end);
  const path = end < 0 ? "" : rest.slice(end);
  // `user:password@` belongs to no authority that a gateway sees.
  const authority = host.slice(host.lastIndexOf("@") + 1);
  return {
    ...(scheme?.[1] ? { scheme: scheme[1] } : {}),
    ...(authority === "" ? {} : { authority }),
    // `shop.example?x=1` asks for `/?x=1`, as curl does.
    ...(path === "" ? {} : { path: path.startsWith("/") ? path : `/${path}` }),
  };
}
