/** What a page asks: predictions, which are kept and told again, and quizzes. */

import { predictions } from "./ui/predictions.js";
import { quizzes } from "./ui/quizzes.js";

predictions();
quizzes();
