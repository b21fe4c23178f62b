//! Pure decision machines: (state, input, now, draw) to a decision. They see no network, no queue and no clock.
