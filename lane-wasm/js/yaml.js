// What `lane/full` has beyond `lane`.

export function withYaml({Router: JsonRouter, askOf}) {
  return class Router extends JsonRouter {
    static fromYaml(text, options) {
      return new this(text, {...options, format: 'yaml'});
    }

    config() {
      return askOf(this, (handle) => handle.config());
    }
  };
}
