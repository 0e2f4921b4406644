//! The names that ids stand for: fetched once by a caller, which then builds its own strings from them.

use lane_core::config::{Context, Group};

use super::{Ready, write::Writer};

/// The header under which baggage travels.
const BAGGAGE: &str = "baggage";
/// The guiding header of a group that names none, and the label that marks endpoints (section 2).
const DEFAULT_GUIDING_HEADER: &str = "x-asm-prefer-tag";
const DEFAULT_TAG_LABEL: &str = "ASM_TRAFFIC_TAG";

impl Ready {
    pub(super) fn names(&self, writer: &mut Writer<'_>) {
        let router = &self.router;
        writer.counted(|writer| {
            let mut count = 0;
            for (group, config) in self.groups().zip(&self.config.groups) {
                writer.bytes(router.group_name(group).as_bytes());
                writer.u8(u8::from(matches!(config.context, Some(Context::TraceId(_)))));
                count += 1;
            }
            count
        });
        writer.counted(|writer| {
            let each = |service: &lane_core::ServiceId| {
                writer.u32(router.group_of(*service).index());
                writer.bytes(router.service_host(*service).as_bytes());
            };
            self.services.iter().map(each).count()
        });
        writer.counted(|writer| {
            let mut count = 0;
            for (group, config) in self.groups().zip(&self.config.groups) {
                let label = config.tag_label.as_deref().unwrap_or(DEFAULT_TAG_LABEL);
                for lane in router.lanes(group) {
                    writer.u32(group.index());
                    writer.bytes(router.lane_name(lane).as_bytes());
                    writer.pairs(core::iter::once((label, router.service_tag(lane))));
                    count += 1;
                }
            }
            count
        });
        writer.counted(|writer| {
            let rules = self.groups().flat_map(|group| router.rules(group));
            rules.map(|rule| writer.bytes(router.rule_name(rule).as_bytes())).count()
        });
        writer.counted(|writer| self.labelled_subsets(writer));
        writer.counted(|writer| {
            let groups = self.config.groups.iter();
            let guiding = groups.clone().map(guiding_header);
            let restored = groups.flat_map(|group| &group.restore_headers).map(String::as_str);
            let all = core::iter::once(BAGGAGE).chain(guiding).chain(restored);
            all.map(|name| writer.bytes(name.as_bytes())).count()
        });
    }

    /// The subsets whose labels the configuration gives.
    fn labelled_subsets(&self, writer: &mut Writer<'_>) -> usize {
        let router = &self.router;
        let mut count = 0;
        for (group, config) in self.groups().zip(&self.config.groups) {
            for (lane, config) in router.lanes(group).zip(&config.lanes) {
                for host in config.labels.keys() {
                    let Some(service) = router.service_in(group, host) else { continue };
                    writer.u32(service.index());
                    writer.u32(lane.index());
                    writer.pairs(router.subset_labels(service, lane));
                    count += 1;
                }
            }
        }
        count
    }
}

/// The header whose value is the lane's name.
fn guiding_header(group: &Group) -> &str {
    group.guiding_header.as_deref().unwrap_or(DEFAULT_GUIDING_HEADER)
}
