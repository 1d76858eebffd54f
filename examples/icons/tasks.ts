/** The tasks of the icon stream: which names they hold, how they are asked for, and which vendors draw them for what. */

/** One task of the icon stream, before any drawing is read. */
export interface IconTask {
  readonly name: string;
  readonly templates: readonly string[];
  readonly classNames: readonly string[];
}

/** Names with commas between. */
export const list = (names: string): readonly string[] => names.split(",").map((s) => s.trim());

const animals: IconTask = {
  name: "animals",
  templates: ["an icon of a {c}, a kind of animal.", "a drawing of a {c}, an animal.", "a picture of a {c}."],
  classNames: list(`
    dog, cat, tiger, horse, cow, pig, rabbit, mouse, goat, camel, elephant, monkey, gorilla, wolf, fox, lion, bear, panda, koala,
    polar bear, giraffe, zebra, kangaroo, unicorn, bat, chicken, baby chick, penguin, eagle, duck, owl, swan, flamingo, parrot, frog,
    turtle, snake, crocodile, dragon, dolphin, whale, tropical fish, shark, octopus, crab, snail, butterfly, honeybee, lady beetle, ant,
    spider, turkey`),
};

const food: IconTask = {
  name: "food",
  templates: ["an icon of a {c}, a kind of food.", "a drawing of a {c}, a food.", "a picture of a {c}."],
  classNames: list(`
    watermelon, lemon, banana, pineapple, red apple, pear, peach, cherries, strawberry, grapes, tomato, coconut, kiwi fruit, avocado,
    eggplant, potato, carrot, ear of corn, hot pepper, cucumber, broccoli, bread, croissant, pancakes, cheese wedge, poultry leg, bacon,
    hamburger, french fries, pizza, hot dog, taco, egg, popcorn, rice ball, bento box, spaghetti, sushi, fried shrimp, soft ice cream,
    doughnut, cookie, birthday cake, chocolate bar, lollipop, custard, honey pot, hot beverage, wine glass, beer mug, cocktail glass,
    glass of milk`),
};

const placesAndVehicles: IconTask = {
  name: "places and vehicles",
  templates: ["an icon of a {c}, a place or a vehicle.", "a drawing of a {c}, a place or a vehicle.", "a picture of a {c}."],
  classNames: list(`
    volcano, desert island, camping, beach with umbrella, mount fuji, stadium, house, office building, hospital, bank, school, factory,
    castle, Statue of Liberty, Tokyo tower, church, mosque, kaaba, fountain, tent, cityscape, bridge at night, ferris wheel, roller coaster,
    circus tent, locomotive, bullet train, monorail, bus, ambulance, fire engine, police car, taxi, automobile, delivery truck, tractor,
    racing car, motorcycle, motor scooter, bicycle, sailboat, canoe, speedboat, ship, airplane, helicopter, rocket, mountain cableway,
    satellite, fuel pump, vertical traffic light`),
};

const objects: IconTask = {
  name: "objects",
  templates: ["an icon of a {c}, a kind of object.", "a drawing of a {c}, an object.", "a picture of a {c}."],
  classNames: list(`
    glasses, necktie, jeans, dress, handbag, backpack, running shoe, high-heeled shoe, top hat, graduation cap, crown, lipstick, ring,
    gem stone, bell, microphone, headphone, radio, mobile phone, telephone, battery, electric plug, laptop, printer, keyboard, floppy disk,
    movie camera, television, camera, light bulb, candle, magnifying glass tilted left, open book, newspaper, money bag, credit card,
    package, pencil, paintbrush, briefcase, paperclip, scissors, wastebasket, locked, key, hammer, wrench, balance scale, shield,
    microscope, telescope, syringe, pill, door, toilet, bathtub, shopping cart, alarm clock, hourglass done, anchor`),
};

const activities: IconTask = {
  name: "sport, music and play",
  templates: ["an icon of a {c}, for sport, music or play.", "a drawing of a {c}, for sport, music or play.", "a picture of a {c}."],
  classNames: list(`
    soccer ball, baseball, basketball, american football, tennis, bowling, ping pong, boxing glove, skis, fishing pole, bow and arrow,
    trophy, bullseye, video game, slot machine, game die, joker, crystal ball, teddy bear, artist palette, performing arts, saxophone,
    trumpet, guitar, violin, drum, musical keyboard, balloon, wrapped gift, jack-o-lantern, Christmas tree, fireworks, party popper, ticket`),
};

const weather: IconTask = {
  name: "weather and sky",
  templates: ["an icon of {c}, in the sky.", "a drawing of {c}, a kind of weather.", "a picture of {c}."],
  classNames: list(`
    sun, crescent moon, full moon, first quarter moon, cloud, sun behind cloud, cloud with rain, cloud with snow, cloud with lightning,
    tornado, rainbow, cyclone, snowflake, snowman, high voltage, star, shooting star, umbrella with rain drops, thermometer, droplet,
    water wave, fire, sunrise, night with stars`),
};

const flags: IconTask = {
  name: "flags",
  templates: ["the flag of {c}.", "an icon of the flag of {c}.", "a drawing of the flag of {c}, a country."],
  classNames: list(`
    Norway, Germany, France, Italy, Spain, Portugal, United Kingdom, Switzerland, Greece, Poland, Ukraine, Finland, Belgium, Czechia,
    Albania, Cyprus, Estonia, Turkiye, Israel, Saudi Arabia, Lebanon, Qatar, India, China, Japan, South Korea, Vietnam, Thailand, Nepal,
    Malaysia, Kazakhstan, Cambodia, Sri Lanka, Egypt, Kenya, Nigeria, South Africa, Seychelles, Somalia, Ghana, Morocco, United States,
    Canada, Mexico, Brazil, Argentina, Cuba, Jamaica, Chile, Barbados, Uruguay, Australia, Papua New Guinea, Kiribati`),
};

const logos: IconTask = {
  name: "logos",
  templates: ["the logo of {c}.", "an icon of the logo of {c}.", "a drawing of the logo of {c}, a software."],
  classNames: list(`
    TypeScript, Python, Java, Rust, Swift, Kotlin, Ruby, PHP, C++, Haskell, Elixir, Julia, Node.js, Angular, Svelte, Vue, Astro, Vite,
    Webpack, Sass, Docker, Kubernetes, Terraform, Ansible, Git, GitLab, Godot, Unity, Blender, Figma, Firebase, Flutter, PyTorch,
    TensorFlow, Heroku, Netlify, Arduino, Android, Ubuntu, Debian, Raspberry Pi, PostgreSQL, MongoDB, Redis, GraphQL, Laravel, WordPress,
    Bash, Vim, Markdown`),
};

/** The eight tasks. Pre-training sees their names in this order. */
export const iconTasks: readonly IconTask[] = [animals, food, flags, placesAndVehicles, logos, objects, weather, activities];

/** The tasks in the order of the stream: first those in which there is most to learn, so that a short stream has something to show. */
export const curriculum: readonly IconTask[] = [animals, food, flags, logos, activities, placesAndVehicles, objects, weather];

/** Vendors whose drawings of stream names pre-training sees, as CLIP has seen some pets before it meets a task of pets. */
export const baseSets: ReadonlySet<string> = new Set(["emojione-v1", "vscode-icons"]);

/**
 * Vendors whose drawings of stream names are for testing only; those of the vendors that are left are for training. No author of a test set has drawn for
 * training too: fluent-emoji-flat and twemoji stand alone, where noto and noto-v1 are two editions of one set.
 */
export const testSets: ReadonlySet<string> = new Set(["twemoji", "fluent-emoji-flat", "circle-flags", "logos", "devicon"]);
