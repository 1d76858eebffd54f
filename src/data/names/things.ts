/**
 * The names of classes of the datasets of MTIL and X-TAIL, but for cars and scenes: facts from OpenAI's prompts (`data/prompts.md` of openai/CLIP, MIT), from
 * torchvision's datasets, and from the collections that MTIL's authors share (Thunderbeee/ZSCL, Fazhan-cs/DAC, MaolinLuo/KeepLoRA).
 */
import { packed } from "./packed.ts";

/**
 * Caltech-101 as OpenAI names it and MTIL takes it, without the background; in the order of {@link caltechFolders}. OpenAI's list has two blanks in
 * `head of a  crocodile`, and prompts are made with both.
 */
export const caltech = packed(`
  off-center face|centered face|leopard|motorbike|accordion|airplane|anchor|ant|barrel|bass|beaver|binocular|bonsai|brain|brontosaurus|buddha|butterfly|
  camera|cannon|side of a car|ceiling fan|cellphone|chair|chandelier|body of a cougar cat|face of a cougar cat|crab|crayfish|crocodile|head of a  crocodile|
  cup|dalmatian|dollar bill|dolphin|dragonfly|electric guitar|elephant|emu|euphonium|ewer|ferry|flamingo|head of a flamingo|garfield|gerenuk|gramophone|
  grand piano|hawksbill|headphone|hedgehog|helicopter|ibis|inline skate|joshua tree|kangaroo|ketch|lamp|laptop|llama|lobster|lotus|mandolin|mayfly|menorah|
  metronome|minaret|nautilus|octopus|okapi|pagoda|panda|pigeon|pizza|platypus|pyramid|revolver|rhino|rooster|saxophone|schooner|scissors|scorpion|sea horse|
  snoopy (cartoon beagle)|soccer ball|stapler|starfish|stegosaurus|stop sign|strawberry|sunflower|tick|trilobite|umbrella|watch|water lilly|wheelchair|
  wild cat|windsor chair|wrench|yin and yang symbol
`);

/** The folders of the original archive of Caltech-101, without the background. */
export const caltechFolders = packed(`
  Faces|Faces_easy|Leopards|Motorbikes|accordion|airplanes|anchor|ant|barrel|bass|beaver|binocular|bonsai|brain|brontosaurus|buddha|butterfly|camera|cannon|
  car_side|ceiling_fan|cellphone|chair|chandelier|cougar_body|cougar_face|crab|crayfish|crocodile|crocodile_head|cup|dalmatian|dollar_bill|dolphin|dragonfly|
  electric_guitar|elephant|emu|euphonium|ewer|ferry|flamingo|flamingo_head|garfield|gerenuk|gramophone|grand_piano|hawksbill|headphone|hedgehog|helicopter|
  ibis|inline_skate|joshua_tree|kangaroo|ketch|lamp|laptop|llama|lobster|lotus|mandolin|mayfly|menorah|metronome|minaret|nautilus|octopus|okapi|pagoda|panda|
  pigeon|pizza|platypus|pyramid|revolver|rhino|rooster|saxophone|schooner|scissors|scorpion|sea_horse|snoopy|soccer_ball|stapler|starfish|stegosaurus|
  stop_sign|strawberry|sunflower|tick|trilobite|umbrella|watch|water_lilly|wheelchair|wild_cat|windsor_chair|wrench|yin_yang
`);

/** CIFAR-100, as torchvision has it, with blanks. */
export const cifar = packed(`
  apple|aquarium fish|baby|bear|beaver|bed|bee|beetle|bicycle|bottle|bowl|boy|bridge|bus|butterfly|camel|can|castle|caterpillar|cattle|chair|chimpanzee|clock|
  cloud|cockroach|couch|crab|crocodile|cup|dinosaur|dolphin|elephant|flatfish|forest|fox|girl|hamster|house|kangaroo|keyboard|lamp|lawn mower|leopard|lion|
  lizard|lobster|man|maple tree|motorcycle|mountain|mouse|mushroom|oak tree|orange|orchid|otter|palm tree|pear|pickup truck|pine tree|plain|plate|poppy|
  porcupine|possum|rabbit|raccoon|ray|road|rocket|rose|sea|seal|shark|shrew|skunk|skyscraper|snail|snake|spider|squirrel|streetcar|sunflower|sweet pepper|
  table|tank|telephone|television|tiger|tractor|train|trout|tulip|turtle|wardrobe|whale|willow tree|wolf|woman|worm
`);

/** DTD. */
export const textures = packed(`
  banded|blotchy|braided|bubbly|bumpy|chequered|cobwebbed|cracked|crosshatched|crystalline|dotted|fibrous|flecked|freckled|frilly|gauzy|grid|grooved|
  honeycombed|interlaced|knitted|lacelike|lined|marbled|matted|meshed|paisley|perforated|pitted|pleated|polka-dotted|porous|potholed|scaly|smeared|spiralled|
  sprinkled|stained|stratified|striped|studded|swirly|veined|waffled|woven|wrinkled|zigzagged
`);

/** EuroSAT as OpenAI names it and MTIL takes it; in the order of {@link landFolders}. */
export const land = packed(`
  annual crop land|forest|brushland or shrubland|highway or road|industrial buildings or commercial buildings|pasture land|permanent crop land|
  residential buildings or homes or apartments|river|lake or sea
`);

/** The folders of the original archive of EuroSAT. */
export const landFolders = packed(`
  AnnualCrop|Forest|HerbaceousVegetation|Highway|Industrial|Pasture|PermanentCrop|Residential|River|SeaLake
`);

/** EuroSAT in the splits of CoOp, in the same order. */
export const landOfCoOp = packed(`
  Annual Crop Land|Forest|Herbaceous Vegetation Land|Highway or Road|Industrial Buildings|Pasture Land|Permanent Crop Land|Residential Buildings|River|
  Sea or Lake
`);

/** Flowers-102 as OpenAI names it, in the order of its labels. */
export const flowersOfOpenAI = packed(`
  pink primrose|hard-leaved pocket orchid|canterbury bells|sweet pea|english marigold|tiger lily|moon orchid|bird of paradise|monkshood|globe thistle|
  snapdragon|colt's foot|king protea|spear thistle|yellow iris|globe flower|purple coneflower|peruvian lily|balloon flower|giant white arum lily|fire lily|
  pincushion flower|fritillary|red ginger|grape hyacinth|corn poppy|prince of wales feathers|stemless gentian|artichoke|sweet william|carnation|garden phlox|
  love in the mist|mexican aster|alpine sea holly|ruby-lipped cattleya|cape flower|great masterwort|siam tulip|lenten rose|barbeton daisy|daffodil|sword lily|
  poinsettia|bolero deep blue|wallflower|marigold|buttercup|oxeye daisy|common dandelion|petunia|wild pansy|primula|sunflower|pelargonium|bishop of llandaff|
  gaura|geranium|orange dahlia|pink and yellow dahlia|cautleya spicata|japanese anemone|black-eyed susan|silverbush|californian poppy|osteospermum|
  spring crocus|bearded iris|windflower|tree poppy|gazania|azalea|water lily|rose|thorn apple|morning glory|passion flower|lotus|toad lily|anthurium|
  frangipani|clematis|hibiscus|columbine|desert-rose|tree mallow|magnolia|cyclamen|watercress|canna lily|hippeastrum|bee balm|air plant|foxglove|
  bougainvillea|camellia|mallow|mexican petunia|bromelia|blanket flower|trumpet creeper|blackberry lily
`);

/** Food-101, as torchvision has it, with blanks. */
export const food = packed(`
  apple pie|baby back ribs|baklava|beef carpaccio|beef tartare|beet salad|beignets|bibimbap|bread pudding|breakfast burrito|bruschetta|caesar salad|cannoli|
  caprese salad|carrot cake|ceviche|cheese plate|cheesecake|chicken curry|chicken quesadilla|chicken wings|chocolate cake|chocolate mousse|churros|
  clam chowder|club sandwich|crab cakes|creme brulee|croque madame|cup cakes|deviled eggs|donuts|dumplings|edamame|eggs benedict|escargots|falafel|
  filet mignon|fish and chips|foie gras|french fries|french onion soup|french toast|fried calamari|fried rice|frozen yogurt|garlic bread|gnocchi|greek salad|
  grilled cheese sandwich|grilled salmon|guacamole|gyoza|hamburger|hot and sour soup|hot dog|huevos rancheros|hummus|ice cream|lasagna|lobster bisque|
  lobster roll sandwich|macaroni and cheese|macarons|miso soup|mussels|nachos|omelette|onion rings|oysters|pad thai|paella|pancakes|panna cotta|peking duck|
  pho|pizza|pork chop|poutine|prime rib|pulled pork sandwich|ramen|ravioli|red velvet cake|risotto|samosa|sashimi|scallops|seaweed salad|shrimp and grits|
  spaghetti bolognese|spaghetti carbonara|spring rolls|steak|strawberry shortcake|sushi|tacos|takoyaki|tiramisu|tuna tartare|waffles
`);

/** MNIST as torchvision names it. */
export const digits = packed(`
  0 - zero|1 - one|2 - two|3 - three|4 - four|5 - five|6 - six|7 - seven|8 - eight|9 - nine
`);

/** Oxford-IIIT Pets as torchvision names it. */
export const pets = packed(`
  Abyssinian|American Bulldog|American Pit Bull Terrier|Basset Hound|Beagle|Bengal|Birman|Bombay|Boxer|British Shorthair|Chihuahua|Egyptian Mau|
  English Cocker Spaniel|English Setter|German Shorthaired|Great Pyrenees|Havanese|Japanese Chin|Keeshond|Leonberger|Maine Coon|Miniature Pinscher|
  Newfoundland|Persian|Pomeranian|Pug|Ragdoll|Russian Blue|Saint Bernard|Samoyed|Scottish Terrier|Shiba Inu|Siamese|Sphynx|Staffordshire Bull Terrier|
  Wheaten Terrier|Yorkshire Terrier
`);

/** FGVC-Aircraft, variants. */
export const aircraft = packed(`
  707-320|727-200|737-200|737-300|737-400|737-500|737-600|737-700|737-800|737-900|747-100|747-200|747-300|747-400|757-200|757-300|767-200|767-300|767-400|
  777-200|777-300|A300B4|A310|A318|A319|A320|A321|A330-200|A330-300|A340-200|A340-300|A340-500|A340-600|A380|ATR-42|ATR-72|An-12|BAE 146-200|BAE 146-300|
  BAE-125|Beechcraft 1900|Boeing 717|C-130|C-47|CRJ-200|CRJ-700|CRJ-900|Cessna 172|Cessna 208|Cessna 525|Cessna 560|Challenger 600|DC-10|DC-3|DC-6|DC-8|
  DC-9-30|DH-82|DHC-1|DHC-6|DHC-8-100|DHC-8-300|DR-400|Dornier 328|E-170|E-190|E-195|EMB-120|ERJ 135|ERJ 145|Embraer Legacy 600|Eurofighter Typhoon|F-16A/B|
  F/A-18|Falcon 2000|Falcon 900|Fokker 100|Fokker 50|Fokker 70|Global Express|Gulfstream IV|Gulfstream V|Hawk T1|Il-76|L-1011|MD-11|MD-80|MD-87|MD-90|
  Metroliner|Model B200|PA-28|SR-20|Saab 2000|Saab 340|Spitfire|Tornado|Tu-134|Tu-154|Yak-42
`);
