import { describeExploration } from "./exploration-suite.js";
import { PAIRS, PAIRS_WITH_PORTS } from "./scenarios.js";

describeExploration("two actions", PAIRS);
describeExploration("two actions at a time, and what they share", PAIRS_WITH_PORTS);
