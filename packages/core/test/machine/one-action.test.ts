import { describeExploration } from "./exploration-suite.js";
import { PORT_BY_PORT, SINGLES } from "./scenarios.js";

describeExploration("one action", SINGLES);
describeExploration("one action, port by port", PORT_BY_PORT);
