//! An Envoy dynamic module.
