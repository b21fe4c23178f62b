//! Hosts as Istio understands them: short names in a namespace, full names, wildcards.

use super::attach::same_namespace;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Host {
    /// A service of Kubernetes, and its namespace if that is known.
    Service(String, Option<String>),
    /// Any other full name.
    Full(String),
    /// Every host that ends like this.
    Ending(String),
}

impl Host {
    /// The host that a name means in an object of this namespace: a name without dots is that of a
    /// service beside it (istio/istio, `ResolveShortnameToFQDN`).
    pub(super) fn new(written: &str, namespace: Option<&str>) -> Host {
        let written = written.trim().to_lowercase();
        if let Some(ending) = written.strip_prefix('*') {
            return Host::Ending(ending.to_owned());
        }
        let mut parts = written.split('.');
        match (parts.next(), parts.next(), parts.next()) {
            (Some(service), None, _) => {
                Host::Service(service.to_owned(), namespace.map(str::to_owned))
            }
            (Some(service), Some(namespace), Some("svc")) => {
                Host::Service(service.to_owned(), Some(namespace.to_owned()))
            }
            _ => Host::Full(written),
        }
    }

    /// The namespace of the service.
    pub(super) fn namespace(&self) -> Option<&str> {
        match self {
            Host::Service(_, namespace) => namespace.as_deref(),
            _ => None,
        }
    }

    /// How closely a rule for this host is about another one, if it is: the whole name more than
    /// any ending, a longer ending more than a shorter one.
    pub(super) fn covers(&self, target: &Host) -> Option<usize> {
        const WHOLE: usize = 1 << 16;
        match (self, target) {
            (Host::Service(one, of_one), Host::Service(other, of_other)) if one == other => {
                let sure = same_namespace(of_one.as_deref(), of_other.as_deref())?;
                Some(WHOLE + usize::from(sure))
            }
            (Host::Full(one), Host::Full(other)) if one == other => Some(WHOLE),
            (Host::Ending(ending), Host::Full(name)) => {
                name.ends_with(ending.as_str()).then_some(ending.len())
            }
            (Host::Ending(ending), Host::Service(name, Some(namespace))) => {
                let full = format!("{name}.{namespace}.svc.cluster.local");
                full.ends_with(ending.as_str()).then_some(ending.len())
            }
            // In a namespace that is not said, whatever the rule wants.
            (Host::Ending(ending), Host::Service(_, None)) => {
                let is_of_cluster = ".svc.cluster.local".ends_with(ending.as_str())
                    || ending.ends_with(".svc.cluster.local") && ending.starts_with('.');
                is_of_cluster.then_some(ending.len())
            }
            (Host::Ending(one), Host::Ending(other)) => {
                other.ends_with(one.as_str()).then_some(one.len())
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_covers_its_host_and_the_closest_rule_covers_it_most() {
        let target = Host::new("cart", Some("shop"));
        let covers = |written: &str, namespace| Host::new(written, namespace).covers(&target);
        for other in
            ["carts", "cart.other.svc.cluster.local", "cart.shop", "*.other.svc.cluster.local"]
        {
            assert_eq!(covers(other, Some("shop")), None, "{other}");
        }
        assert_eq!(covers("cart", Some("other")), None);
        let ranked = [
            covers("cart", Some("shop")),
            covers("cart", None),
            covers("*.shop.svc.cluster.local", None),
            covers("*.local", None),
            covers("*", None),
        ];
        assert!(
            ranked.iter().all(Option::is_some) && ranked.is_sorted_by(|a, b| a > b),
            "{ranked:?}"
        );
        let outside = Host::new("api.example.com", Some("shop"));
        assert_eq!(Host::new("*.example.com", None).covers(&outside), Some(12));
        assert_eq!(Host::new("api.example.com", None).covers(&outside), Some(1 << 16));
    }
}
