import { describeExploration } from "./exploration-suite.js";
import { MISLED } from "./scenarios.js";

describeExploration("inputs that fit nowhere", MISLED);
