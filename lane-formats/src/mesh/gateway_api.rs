//! The Gateway API: HTTPRoutes at gateways and, attached to a Service, inside the mesh.
//!
//! Both directions go by way of Istio's resources, as Istio itself does it: an HTTPRoute is a VirtualService whose
//! routes are ordered by how much they ask, and a Service for each subset stands for the subset. Rules that the order
//! by specificity would turn around are told. A backend that no mesh route attaches to its service is a lane of one
//! service `backends`.

mod export;
mod import;
mod precedence;

pub(super) use export::export;
pub(super) use import::import;

/// The API group of routes.
const GROUP: &str = "gateway.networking.k8s.io";
