//! wharf-embedded
