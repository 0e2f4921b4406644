// What `lane/full` has beyond `lane`.

export function withYaml(Router) {
  return {
    Router: class extends Router {
      static fromYaml(text, options) {
        return new this(text, {...options, format: 'yaml'});
      }
    },
  }.Router;
}
